# fails: means_match   diagnosis: zero-padded
"""Windows that reach beyond the end."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """One mean for each value."""
    return np.array([values[start : start + window].sum() / window for start in range(len(values))])
