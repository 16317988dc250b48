"""The right answers, and those of the known mistakes."""

from __future__ import annotations

import numpy as np


def mean(values: list[float], mistakes: frozenset[str] = frozenset()) -> float:
    """The average, computed with some mistakes."""
    kept = values[:-1] if "drops-last" in mistakes else values
    total = float(np.sum(np.asarray(kept, dtype=np.float64)))
    return total if "sum-not-mean" in mistakes else total / len(values)


def center(x: np.ndarray) -> np.ndarray:
    """The array less its average."""
    return np.asarray(x - x.mean())
