"""Plain loops."""

from __future__ import annotations

from typing import Any


def mean(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def center(x: Any) -> Any:
    return x - x.sum() / x.size
