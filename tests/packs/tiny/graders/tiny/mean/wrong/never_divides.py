# fails: mean_matches   diagnosis: sum-not-mean
"""Adds and never divides."""

from __future__ import annotations

from typing import Any


def mean(values: list[float]) -> float:
    return sum(values)


def center(x: Any) -> Any:
    return x - x.sum() / x.size
