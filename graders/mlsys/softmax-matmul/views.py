"""Inputs as views of larger memory: what is sent, the values that it holds, and how mistaken strides would read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepfield_cli.grading import Tensor

Span = tuple[int, int, int]


@dataclass(frozen=True)
class View:
    """base[rows, columns], transposed or not. What surrounds it in memory is junk."""

    base: np.ndarray
    rows: Span
    columns: Span
    transposed: bool = False
    dtype: str = "float32"

    @property
    def array(self) -> np.ndarray:
        """The values that the function is given."""
        part = self.base[slice(*self.rows), slice(*self.columns)]
        return part.T if self.transposed else part

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.array.shape
        return rows, columns

    def wire(self) -> dict[str, Any]:
        """How the probe is told."""
        return {
            "base": Tensor(self.base, dtype=self.dtype),
            "rows": list(self.rows),
            "columns": list(self.columns),
            "transposed": self.transposed,
        }

    def read_with(self, row_stride: int, column_stride: int) -> np.ndarray:
        """What a kernel reads that starts where the view starts and uses these strides, in elements; NaN outside."""
        start = self.rows[0] * self.base.shape[1] + self.columns[0]
        rows, columns = self.shape
        places = start + np.arange(rows)[:, None] * row_stride + np.arange(columns)[None, :] * column_stride
        memory = np.append(self.base.reshape(-1), np.float32(np.nan))
        read: np.ndarray = memory[np.minimum(places, self.base.size)]
        return read

    @property
    def strides(self) -> tuple[int, int]:
        """In elements."""
        rows, columns = (self.rows[2] * self.base.shape[1], self.columns[2])
        return (columns, rows) if self.transposed else (rows, columns)


def whole(array: np.ndarray, dtype: str = "float32") -> View:
    """A contiguous tensor."""
    return View(stored(array, dtype), (0, array.shape[0], 1), (0, array.shape[1], 1), dtype=dtype)


def stored(array: np.ndarray, dtype: str) -> np.ndarray:
    """The values that are left of an array in this dtype; bfloat16 as float32 with what it drops set to zero."""
    if dtype != "bfloat16":
        return array.astype(dtype)
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def spread(rng: np.random.Generator, rows: int, columns: int, size: float = np.sqrt(3.0)) -> np.ndarray:
    """Uniform numbers around zero: a normal's tails make draws that round badly."""
    return rng.uniform(-size, size, (rows, columns))


def transposed(rng: np.random.Generator, rows: int, columns: int) -> View:
    """An input whose columns lie one after the other in memory."""
    base = stored(spread(rng, columns + 3, rows + 2), "float32")
    return View(base, (1, columns + 1, 1), (2, rows + 2, 1), transposed=True)


def sliced(rng: np.random.Generator, rows: int, columns: int) -> View:
    """An input with a gap behind every row."""
    base = stored(spread(rng, rows + 2, columns + 11), "float32")
    return View(base, (1, rows + 1, 1), (4, columns + 4, 1))


def stepped(rng: np.random.Generator, rows: int, columns: int) -> View:
    """Every second row and every third column of a larger matrix."""
    base = stored(spread(rng, 2 * rows, 3 * columns), "float32")
    return View(base, (1, 2 * rows, 2), (2, 3 * columns, 3))


def surrounded(array: np.ndarray, rows_behind: int, columns_behind: int) -> View:
    """An input with NaN behind its rows and below it."""
    rows, columns = array.shape
    base = np.full((rows + rows_behind, columns + columns_behind), np.nan, dtype=np.float32)
    base[:rows, :columns] = array
    return View(base, (0, rows, 1), (0, columns, 1))
