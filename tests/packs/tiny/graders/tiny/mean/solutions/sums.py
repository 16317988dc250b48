"""Built-in sums."""

from __future__ import annotations

from typing import Any


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def center(x: Any) -> Any:
    flat = x.ravel().tolist()
    return x - sum(flat) / len(flat)
