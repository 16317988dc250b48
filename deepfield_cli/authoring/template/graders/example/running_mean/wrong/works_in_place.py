# fails: values_untouched   diagnosis: mutates-input
"""A mistake may also have one of the diagnoses that all problems share.

Where a problem has many files, a folder with only those that differ is enough: `over: SOLUTION` at the end of the first
line lays it over a solution.
"""

import numpy as np


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Right, and destructive."""
    values /= window
    return np.array([values[start : start + window].sum() for start in range(len(values) - window + 1)])
