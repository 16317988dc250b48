# fails: values_untouched   diagnosis: mutates-input
"""A mistake may also have one of the diagnoses that all problems share."""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Right, and destructive."""
    values /= window
    return np.array([values[start : start + window].sum() for start in range(len(values) - window + 1)])
