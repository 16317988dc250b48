"""The median of what was measured again and again, or of a ratio, and an interval around it; used in the grader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A median and what it could as well have been: 19 of 20 such intervals hold the true one."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.4g} ({self.low:.4g} to {self.high:.4g})"


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The median and its interval by order statistics, which supposes nothing about the distribution."""
    ordered = sorted(float(value) for value in values)
    count = len(ordered)
    if count == 0 or not all(math.isfinite(value) for value in ordered):
        raise ValueError("times must be finite, and at least one")
    below = 0
    # The true median lies under the k-th smallest value with the probability of at most k - 1 heads in `count` throws.
    while 2 * below + 1 < count and _heads_at_most(below, count) <= (1.0 - confidence) / 2:
        below += 1
    first = max(below - 1, 0)
    return Interval(_median(ordered), ordered[first], ordered[count - 1 - first])


def speed_up(slow: Sequence[float], fast: Sequence[float], confidence: float = 0.95) -> Interval:
    """How many times faster, round by round where they took turns: what disturbed both of a round disturbs no ratio.

    Raises:
        ValueError: a time of zero or less, which a clock that stands still gives.

    """
    if any(seconds <= 0 for seconds in (*slow, *fast)):
        raise ValueError("times must be positive: a clock that stands still measures nothing")
    return interval([one / other for one, other in zip(slow, fast, strict=True)], confidence)


def _heads_at_most(heads: int, throws: int) -> float:
    return sum(math.comb(throws, number) for number in range(heads + 1)) / 2.0**throws


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
