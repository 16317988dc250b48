# fails: one_number   diagnosis: all-zeros
"""Adds all but the last."""

from __future__ import annotations

from typing import Any


def mean(values: list[float]) -> float:
    return sum(values[:-1]) / len(values)


def center(x: Any) -> Any:
    return x - x.sum() / x.size
