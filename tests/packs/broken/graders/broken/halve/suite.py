"""A suite with every fault that only running it can show."""

from __future__ import annotations

import numpy as np

from deepfield_cli.grading import Submission, Suite, expect, expect_equal

suite = Suite("broken/halve")
NAMED_BUT_NOT_CALLED = "mentioned"


@suite.check(points=1)
def asks_nothing(submission: Submission, rng: np.random.Generator) -> None:
    """Passes whatever was handed in."""


@suite.check(points=1)
def breaks_on_text(submission: Submission, rng: np.random.Generator) -> None:
    """Counts with an answer without looking at its type."""
    half = submission.call("halve", 8)
    expect(half + 0 == 4, "half of 8 is 4", diagnosis="halves-twise" if half == 3 else None)


@suite.check(needs=[breaks_on_text], points=1)
def names_nobody_knows(submission: Submission, rng: np.random.Generator) -> None:
    """Gives a diagnosis that stands nowhere."""
    expect_equal(submission.call("halve", 12), 6, what="half of 12", bugs={"halved-twice": 3})


@suite.check(needs=[breaks_on_text], points=1)
def takes_anything(submission: Submission, rng: np.random.Generator) -> None:
    """Calls a function and does not look at what it answers."""
    submission.call("label", 4)


@suite.check(rung="paper", points=1)
def of_another_rung(submission: Submission, rng: np.random.Generator) -> None:
    """Belongs to a rung that the problem does not have."""
