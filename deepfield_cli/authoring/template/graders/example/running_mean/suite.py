"""The hidden checks. They run in the grader's process; the learner's code runs in another, and only values cross.

A check's name is its id and its docstring is what the learner reads. It raises CheckFailed, through ``expect`` and its
relatives, or returns: any other exception is a fault of the grader. So test the type of an answer before you use it.
"""

from __future__ import annotations

import numpy as np

from deepfield_cli.grading import Submission, Suite, Tensor, Tolerance, expect_close, expect_unchanged

from . import oracle

suite = Suite("example/running_mean")

# Say where a tolerance comes from. Adding up 50 numbers near 1 in float64, in any order, is off by less than 1e-14;
# the nearest known mistake is off by more than 1e-2.
TOLERANCE = Tolerance(relative=1e-12)


def _compare(submission: Submission, values: np.ndarray, window: int) -> None:
    means = submission.call("running_mean", values, window)
    expected = oracle.running_mean(values, window)
    bugs = oracle.mistakes(values, window)
    expect_close(means, expected, tolerance=TOLERANCE, what="the means", dtype="float64", bugs=bugs)


@suite.check(rung="core", points=2)
def means_match(submission: Submission, rng: np.random.Generator) -> None:
    """The means agree with a reference, for sequences and windows drawn at random."""
    for _ in range(3):
        length = int(rng.integers(12, 50))
        _compare(submission, rng.uniform(0.5, 2.0, length), int(rng.integers(2, length // 2)))


@suite.check(rung="core", needs=[means_match], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief comes out."""
    means = submission.call("running_mean", np.array([1.0, 3.0, 5.0, 7.0]), 2)
    expect_close(means, np.array([2.0, 4.0, 6.0]), tolerance=TOLERANCE, what="the means", dtype="float64")


@suite.check(rung="core", needs=[means_match], points=1)
def extreme_windows(submission: Submission, rng: np.random.Generator) -> None:
    """A window of one value gives the values themselves, and a window of all of them gives one mean."""
    values = rng.uniform(0.5, 2.0, 9)
    for window in (1, len(values)):
        _compare(submission, values, window)


@suite.check(rung="core", needs=[means_match], points=1)
def values_untouched(submission: Submission, rng: np.random.Generator) -> None:
    """The values that were passed in are as they were before."""
    values = rng.uniform(0.5, 2.0, 9)
    kept = submission.put(values)
    submission.call("running_mean", kept, 3)
    expect_unchanged(kept, Tensor(values, kind="numpy"), what="values")
