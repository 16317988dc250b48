"""Another style. At least two solutions keep a suite from testing how something is written."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """One mean after the other."""
    return np.array([np.mean(values[start : start + window]) for start in range(len(values) - window + 1)])
