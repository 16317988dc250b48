"""The grader's own answer, as plain as it can be written, and what each known mistake would have answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of each window, one after the other."""
    return np.array([values[start : start + window].sum() / window for start in range(len(values) - window + 1)])


def mistakes(values: np.ndarray, window: int) -> dict[str, Callable[[], np.ndarray]]:
    """By misconception: what a learner with that mistake would have returned for these very inputs."""
    right = running_mean(values, window)
    padded = np.concatenate([values, np.zeros(window - 1)])
    return {
        "divides-by-length": lambda: right * window / len(values),
        "zero-padded": lambda: running_mean(padded, window),
        "last-window-missing": lambda: right[:-1],
    }
