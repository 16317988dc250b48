"""How far an answer may be off."""

from __future__ import annotations

import numpy as np
import pytest

from deepfield_cli.grading import Tolerance


@pytest.mark.parametrize(
    ("expected", "allowed"),
    [
        (np.array([1.0, -200.0]), 2.5),
        (np.array(0.0), 0.5),
        (np.zeros((0, 3)), 0.5),
        (np.array([np.inf, np.nan, 100.0]), 1.5),
        (np.array([np.nan]), 0.5),
    ],
)
def test_absolute_plus_relative_to_the_largest_finite_value(expected: np.ndarray, allowed: float) -> None:
    assert Tolerance(relative=0.01, absolute=0.5).allowed(expected) == allowed
