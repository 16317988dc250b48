"""Which of two is faster, and by how much: on the grader's clock, in turns, with an interval.

A time by itself says more about the machine than about the code. Two pieces of work that take turns see the same
machine, so their ratio is worth something; the interval says how much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 2000


@dataclass(frozen=True)
class Times:
    """Seconds of two pieces of work, round by round."""

    first: tuple[float, ...]
    second: tuple[float, ...]


@dataclass(frozen=True)
class Ratio:
    """How many times as long one takes as the other: the middle, and an interval around it."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} times ({self.low:.2f} to {self.high:.2f})"


def in_turns(
    first: Callable[[int], object],
    second: Callable[[int], object],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Time two pieces of work in turns: A B, B A, A B, ...; what drifts, drifts for both.

    Args:
        first: does the work of one round; given the round's number, so that no round repeats another's input. It should
            check the answer too: what is not looked at need not have been computed.
        second: the other.
        rounds: how many are timed. One more goes before them, numbered -1, and is not counted.
        clock: seconds; the grader's own, never the worker's.

    """
    if rounds < 1:
        raise ValueError("at least one round is needed")
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(-1, rounds):
        order = (0, 1) if turn % 2 else (1, 0)
        for which in order:
            work = (first, second)[which]
            start = clock()
            work(turn)
            seconds = clock() - start
            if turn >= 0:
                taken[which].append(seconds)
    return Times(tuple(taken[0]), tuple(taken[1]))


def ratio(times: Times, *, confidence: float = 0.99, seed: int = 0) -> Ratio:
    """How many times as long the first takes as the second: a ratio of medians, with a bootstrap interval.

    Whole rounds are drawn again, so what disturbed both of a round disturbs both of the copy.
    """
    pairs = np.array([times.first, times.second])
    if pairs.shape[1] < 1 or pairs.min() <= 0:
        raise ValueError("times must be positive: a clock that stands still measures nothing")
    rng = np.random.default_rng(seed)
    drawn = pairs[:, rng.integers(pairs.shape[1], size=(_RESAMPLES, pairs.shape[1]))]
    medians = np.median(drawn, axis=2)
    edges = np.quantile(medians[0] / medians[1], [(1 - confidence) / 2, (1 + confidence) / 2])
    middle = float(np.median(pairs[0]) / np.median(pairs[1]))
    return Ratio(middle, float(min(edges[0], middle)), float(max(edges[1], middle)))
