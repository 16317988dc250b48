"""Timing two pieces of work in turns, on the grader's clock; `intervals` says how much their ratio is worth.

A time by itself says more about the machine than about the code. Two pieces of work that take turns see the same
machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds of two pieces of work, round by round."""

    first: tuple[float, ...]
    second: tuple[float, ...]


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
