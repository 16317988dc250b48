"""The right answers, and that of the known mistake."""

from __future__ import annotations

import numpy as np

RATE = 0.05


def step(weights: np.ndarray, gradient: np.ndarray, rate: float, mistakes: frozenset[str] = frozenset()) -> np.ndarray:
    """One step down; with the mistake, up."""
    moved = rate * gradient
    return weights + moved if "uphill" in mistakes else weights - moved


def train(target: np.ndarray, steps: int) -> np.ndarray:
    """In closed form: each step takes away the same share of what is missing."""
    return np.asarray(target * (1.0 - (1.0 - 2 * RATE) ** steps))
