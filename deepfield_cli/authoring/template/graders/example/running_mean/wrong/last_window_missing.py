# fails: means_match   diagnosis: last-window-missing
"""A range that ends one too early."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """One mean after the other, but for the last."""
    return np.array([np.mean(values[start : start + window]) for start in range(len(values) - window)])
