"""The hidden check of tiny/square."""

from __future__ import annotations

import numpy as np

from deepfield_cli.grading import Submission, Suite, expect_equal

suite = Suite("tiny/square")


@suite.check(timeout_seconds=60)
def square_matches(submission: Submission, rng: np.random.Generator) -> None:
    """The square of a number between 3 and a million."""
    number = int(rng.integers(3, 1_000_000))
    bugs = {"doubled": lambda: number + number}
    expect_equal(submission.call("square", number), number * number, what="the square", bugs=bugs)
