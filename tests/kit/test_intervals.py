"""Medians and ratios with an interval around them, against the binomial table and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graders.kit.intervals import Interval, interval, speed_up


def test_the_median_and_its_interval() -> None:
    assert interval([3.0]) == Interval(3.0, 3.0, 3.0)
    assert interval([2.0, 1.0, 3.0]) == Interval(2.0, 1.0, 3.0)  # too few to leave any out
    # the well-known table of order statistics: of 20 values the 6th and the 15th, of 30 the 10th and the 21st
    assert interval(range(1, 21)) == Interval(10.5, 6.0, 15.0)
    assert interval(range(1, 31)) == Interval(15.5, 10.0, 21.0)
    assert str(Interval(1.5, 1.25, 2.0)) == "1.5 (1.25 to 2)"
    for strange in ([], [1.0, math.inf], [math.nan]):
        with pytest.raises(ValueError, match="finite"):
            interval(strange)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [interval(rng.exponential(size=25).tolist()) for _ in range(2000)]
    inside = sum(one.low <= math.log(2.0) <= one.high for one in found)
    assert 0.945 < inside / 2000 < 0.985  # 95.7 % by the binomial


def test_a_speed_up_is_that_of_pairs() -> None:
    drift = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    assert speed_up([3 * at for at in drift], drift) == Interval(3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match="zip"):
        speed_up([1.0], [1.0, 2.0])


def test_a_clock_that_stands_still_is_a_fault() -> None:
    with pytest.raises(ValueError, match="stands still"):
        speed_up([1.0, 0.0], [1.0, 1.0])
