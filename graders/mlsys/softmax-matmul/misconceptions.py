"""What a submission with a known mistake answers, for these very inputs; computed when an answer is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs

from . import oracle
from .views import View

# Block sizes that learners choose. A row is cut into one block that holds it, or into several of one size.
BLOCKS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
TILES = (16, 32, 64, 128, 256)

Answer = Callable[[], Any]


class Variants(Bugs):
    """Every way in which each mistake may be made: pairs of a misconception's id and what it answers."""

    def __init__(self, *variants: tuple[str, Answer]) -> None:
        self._variants = variants

    def candidates(self) -> Iterator[tuple[str, Answer]]:
        """Name and answer, one by one."""
        yield from self._variants


# ---- softmax ---------------------------------------------------------------------------------------------------------


def paddings(columns: int) -> list[int]:
    """How many padding lanes a row of so many columns may have, each number once."""
    found = {-(-columns // block) * block - columns for block in BLOCKS}
    return sorted(found - {0})


@np.errstate(all="ignore")
def with_padding(x: np.ndarray, lanes: int, *, in_maximum: bool, value: float | None) -> np.ndarray:
    """Padding lanes take part: in the maximum as zeros, in the sum as exp(0 - maximum) or as a given value."""
    values = x.astype(np.float64)
    maximum = values.max(axis=1, keepdims=True)
    if in_maximum:
        maximum = np.maximum(maximum, 0.0)
    numerator = np.exp(values - maximum)
    padding = np.exp(-maximum) if value is None else value
    answer: np.ndarray = numerator / (numerator.sum(axis=1, keepdims=True) + lanes * padding)
    return answer


def softmax_mistakes(x: np.ndarray) -> Variants:
    """On ordinary rows."""
    lanes = paddings(x.shape[1])
    return Variants(
        *(("padding-is-zero", partial(with_padding, x, n, in_maximum=True, value=None)) for n in lanes),
        *(("padding-in-the-sum", partial(with_padding, x, n, in_maximum=False, value=1.0)) for n in lanes),
        ("softmax-wrong-axis", lambda: oracle.softmax(x.T).T),
        ("exp2-for-exp", lambda: oracle.softmax(x.astype(np.float64) * np.log(2.0))),
        ("not-normalised", lambda: np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))),
    )


@np.errstate(all="ignore")
def without_maximum(x: np.ndarray) -> np.ndarray:
    """In float32, where exp overflows above 88 and vanishes below -103."""
    numerator = np.exp(x.astype(np.float32))
    answer: np.ndarray = numerator / numerator.sum(axis=1, keepdims=True)
    return answer


@np.errstate(all="ignore")
def with_maximum_of_padding(x: np.ndarray) -> np.ndarray:
    """The maximum sees zeros behind the row, the sum does not: rows far below zero come out as 0 / 0."""
    numerator = np.exp((x - np.maximum(x.max(axis=1, keepdims=True), 0.0)).astype(np.float32))
    answer: np.ndarray = numerator / numerator.sum(axis=1, keepdims=True)
    return answer


@np.errstate(all="ignore")
def with_finite_padding(x: np.ndarray, lanes: int, value: float) -> np.ndarray:
    """The padding lanes hold a negative number that is not negative enough."""
    row = np.full((x.shape[0], lanes), value)
    return oracle.softmax(np.concatenate([x.astype(np.float64), row], axis=1))[:, : x.shape[1]]


def large_value_mistakes(x: np.ndarray) -> Variants:
    """On rows whose values are thousands."""
    return Variants(
        ("no-max-subtraction", partial(without_maximum, x)),
        ("padding-is-zero", partial(with_maximum_of_padding, x)),
        *(
            ("padding-is-finite", partial(with_finite_padding, x, n, value))
            for n in paddings(x.shape[1])
            for value in (-1e4, -1e3, -1e2)
        ),
        *(("padding-is-zero", partial(with_padding, x, n, in_maximum=True, value=None)) for n in paddings(x.shape[1])),
        *(("max-over-everything", partial(with_maximum_of_several, x, rows)) for rows in (2, 4, 8)),
    )


@np.errstate(all="ignore")
def with_maximum_of_several(x: np.ndarray, rows: int) -> np.ndarray:
    """One maximum for each block of rows."""
    firsts = np.arange(0, x.shape[0], rows)
    highest = np.repeat(np.maximum.reduceat(x.max(axis=1), firsts), rows)[: x.shape[0], None]
    numerator = np.exp((x - highest).astype(np.float32))
    answer: np.ndarray = numerator / numerator.sum(axis=1, keepdims=True)
    return answer


# ---- strides ---------------------------------------------------------------------------------------------------------


def misread(view: View) -> list[np.ndarray]:
    """What a kernel takes for the view's values if it ignores its strides, or one of them."""
    row, column = view.strides
    columns = view.shape[1]
    return [view.read_with(columns, 1), view.read_with(row, 1), view.read_with(columns, column)]


def softmax_stride_mistakes(view: View) -> Variants:
    """The input is read with wrong strides, or the answer is written with wrong ones."""
    right = oracle.softmax(view.array)
    rows, columns = view.shape
    return Variants(
        *(("strides-assumed", partial(oracle.softmax, values)) for values in misread(view)),
        # empty_like keeps the order of the axes of a transposed tensor; a contiguous one is what was written
        ("strides-assumed", lambda: right.reshape(columns, rows).T),
    )


def matmul_stride_mistakes(a: View, b: View) -> Variants:
    """One input or both are read with wrong strides."""
    pairs = [(first, b.array) for first in misread(a)]
    pairs += [(a.array, second) for second in misread(b)]
    pairs += [(first, second) for first in misread(a) for second in misread(b)]
    return Variants(*(("strides-assumed", partial(oracle.matmul, *pair)) for pair in pairs))


# ---- product ---------------------------------------------------------------------------------------------------------


def tiles_exchanged(c: np.ndarray, rows: int, columns: int) -> np.ndarray | None:
    """Tile (i, j) of the answer is tile (j, i) of the right one; None where the tiles do not fit."""
    count = c.shape[0] // rows
    if c.shape[0] % rows or c.shape[1] != count * columns or count < 2:
        return None
    blocks = c.reshape(count, rows, count, columns)
    answer: np.ndarray = blocks.transpose(2, 1, 0, 3).reshape(c.shape)
    return answer


def matmul_mistakes(a: np.ndarray, b: np.ndarray) -> Variants:
    """On square matrices whose sizes every tile divides."""
    right = oracle.matmul(a, b)
    inner = a.shape[1]
    sizes = [(rows, columns) for rows in TILES for columns in TILES]
    return Variants(
        *(("program-id-swapped", partial(tiles_exchanged, right, *size)) for size in sizes),
        *(("last-k-tile-only", partial(oracle.matmul, a[:, -k:], b[-k:])) for k in TILES if k < inner),
        *(("first-k-tile-only", partial(oracle.matmul, a[:, :k], b[:k])) for k in TILES if k < inner),
        *(("first-k-tile-only", partial(oracle.matmul, a[:, :k] * (inner // k), b[:k])) for k in TILES if k < inner),
    )


def k_remainder_mistakes(a: np.ndarray, b: np.ndarray) -> Variants:
    """The last, incomplete step along K is left out."""
    inner = a.shape[1]
    whole = sorted({inner // k * k for k in TILES})
    return Variants(*(("k-remainder-dropped", partial(oracle.matmul, a[:, :k], b[:k])) for k in whole))


def stored_lanes(rows: int, columns: int) -> dict[int, str]:
    """How many lanes a mistaken mask lets through when c is stored, for every tile: count → misconception.

    Without parentheses & binds before <. ``m < M & n < N`` compares in a chain, and all that is left of it is
    ``(M & n) < N``; ``m < M & (n < N)`` is ``m < (M & 1)`` where n < N.
    """
    found = {(rows & 1) * columns: "mask-precedence"}
    for height in TILES:
        for width in TILES:
            padded_rows, padded_columns = -(-rows // height) * height, -(-columns // width) * width
            chained = int(((rows & np.arange(padded_columns)) < columns).sum())
            found[padded_rows * chained] = "mask-precedence"
    for height in TILES:  # a plain missing mask is the likelier mistake where both let the same number through
        for width in TILES:
            padded_rows, padded_columns = -(-rows // height) * height, -(-columns // width) * width
            for lanes in (padded_rows * padded_columns, padded_rows * columns, rows * padded_columns):
                found[lanes] = "stores-over-the-edge"
    found.pop(rows * columns, None)
    return found


# ---- counting --------------------------------------------------------------------------------------------------------


def roofline_mistakes(case: Sequence[float]) -> Variants:
    """Dictionaries of numbers, without "bound"."""
    flops, bytes_moved, seconds, peak_flops, peak_bandwidth = case

    def told(intensity: float, attainable: float, achieved: float, fraction: float | None = None) -> dict[str, float]:
        return {
            "intensity": intensity,
            "attainable": attainable,
            "achieved": achieved,
            "fraction_of_roof": achieved / attainable if fraction is None else fraction,
        }

    intensity, achieved = flops / bytes_moved, flops / seconds
    memory = intensity * peak_bandwidth
    roof = min(peak_flops, memory)
    return Variants(
        ("attainable-is-the-maximum", lambda: told(intensity, max(peak_flops, memory), achieved)),
        ("intensity-inverted", lambda: told(1 / intensity, min(peak_flops, peak_bandwidth / intensity), achieved)),
        ("intensity-inverted", lambda: told(1 / intensity, roof, achieved)),
        ("fraction-of-the-peak", lambda: told(intensity, roof, achieved, achieved / peak_flops)),
        ("fraction-of-the-peak", lambda: told(intensity, peak_flops, achieved)),
        ("fraction-inverted", lambda: told(intensity, roof, achieved, roof / achieved)),
    )


def softmax_cost_mistakes(rows: int, columns: int, itemsize: int) -> Variants:
    """Costs of another algorithm."""
    flops = 5 * rows * columns
    return Variants(
        ("cost-of-the-unfused", lambda: _cost(flops, (8 * rows * columns + 4 * rows) * itemsize)),
        ("cost-reads-twice", lambda: _cost(flops, 3 * rows * columns * itemsize)),
        ("bytes-in-elements", lambda: _cost(flops, 2 * rows * columns)),
        ("bytes-of-the-answer-missing", lambda: _cost(flops, rows * columns * itemsize)),
    )


def matmul_cost_mistakes(rows: int, columns: int, inner: int, itemsize: int) -> Variants:
    """Alone, and the two commonest together."""
    products = rows * columns * inner
    read = rows * inner + inner * columns
    everything = read + rows * columns
    return Variants(
        ("flops-without-two", lambda: _cost(products, everything * itemsize)),
        ("bytes-of-the-answer-missing", lambda: _cost(2 * products, read * itemsize)),
        ("bytes-in-elements", lambda: _cost(2 * products, everything)),
        ("flops-without-two+bytes-of-the-answer-missing", lambda: _cost(products, read * itemsize)),
        ("cost-of-the-untiled", lambda: _cost(2 * products, (2 * products + rows * columns) * itemsize)),
    )


def _cost(flops: int, bytes_moved: int) -> dict[str, int]:
    return {"flops": flops, "bytes_moved": bytes_moved}
