"""With a running sum: the first solution in alphabetical order is the one that learners are shown."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The sum of a window is the difference of two sums from the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: np.ndarray = (sums[window:] - sums[:-window]) / window
    return means
