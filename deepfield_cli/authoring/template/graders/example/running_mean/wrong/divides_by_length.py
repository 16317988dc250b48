# fails: means_match   diagnosis: divides-by-length
"""The first line names the check that must be the first to fail, and the diagnosis that it must give."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Divide by the wrong length."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: np.ndarray = (sums[window:] - sums[:-window]) / len(values)
    return means
