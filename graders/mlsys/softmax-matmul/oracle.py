"""What is right: softmax, product, costs and roofline from their definitions, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np


@np.errstate(invalid="ignore")
def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) over its sum along the last axis; NaN where that is undefined."""
    values = x.astype(np.float64)
    numerator = np.exp(values - values.max(axis=-1, keepdims=True))
    right: np.ndarray = numerator / numerator.sum(axis=-1, keepdims=True)
    return right


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product."""
    right: np.ndarray = a.astype(np.float64) @ b.astype(np.float64)
    return right


def softmax_cost(rows: int, columns: int, itemsize: int) -> dict[str, int]:
    """Maximum, subtraction, exponential, sum and division for each element; one read and one write."""
    return {"flops": 5 * rows * columns, "bytes_moved": 2 * rows * columns * itemsize}


def matmul_cost(rows: int, columns: int, inner: int, itemsize: int) -> dict[str, int]:
    """A multiplication and an addition for each triple; each matrix crosses once."""
    elements = rows * inner + inner * columns + rows * columns
    return {"flops": 2 * rows * columns * inner, "bytes_moved": elements * itemsize}


def roofline(
    flops: float, bytes_moved: float, seconds: float, peak_flops: float, peak_bandwidth: float
) -> dict[str, Any]:
    """Williams, Waterman and Patterson 2009: min(peak, intensity · bandwidth)."""
    intensity = flops / bytes_moved
    attainable = min(peak_flops, intensity * peak_bandwidth)
    achieved = flops / seconds
    return {
        "intensity": intensity,
        "attainable": attainable,
        "achieved": achieved,
        "fraction_of_roof": achieved / attainable,
        "bound": "compute" if intensity * peak_bandwidth >= peak_flops else "memory",
    }


def tiled_elements(rows: int, columns: int, inner: int, tile: int) -> int:
    """Elements that a product moves if each program makes a square tile of c and reads what it needs for it once."""
    read = inner * (rows * -(-columns // tile) + columns * -(-rows // tile))
    return read + rows * columns
