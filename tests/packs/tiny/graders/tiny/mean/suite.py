"""The hidden checks of tiny/mean."""

from __future__ import annotations

from functools import partial

import numpy as np

from deepfield_cli.grading import (
    Bugs,
    Submission,
    Suite,
    Tensor,
    Tolerance,
    expect_close,
    expect_unchanged,
)

from . import oracle

suite = Suite("tiny/mean")

# Sums of a hundred float64 are right to 1e-14; the nearest mistake is a hundredth away.
TOLERANCE = Tolerance(relative=1e-9)


@suite.check(timeout_seconds=60)
def one_number(submission: Submission, rng: np.random.Generator) -> None:
    """The mean of one number is that number."""
    value = float(rng.uniform(1.0, 2.0))
    expect_close(submission.call("mean", [value]), value, tolerance=TOLERANCE, what="mean")


@suite.check(needs=[one_number], points=2, timeout_seconds=60)
def mean_matches(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """The mean of up to a hundred numbers matches float64."""
    values = rng.uniform(1.0, 2.0, size=int(rng.integers(5, 100))).tolist()
    bugs = Bugs(partial(oracle.mean, values), ["sum-not-mean", "drops-last"])
    expect_close(submission.call("mean", values), oracle.mean(values), tolerance=TOLERANCE, what="mean", bugs=bugs)
    return {"numbers": len(values)}


@suite.check(timeout_seconds=60)
def center_matches(submission: Submission, rng: np.random.Generator) -> None:
    """The centred array has the shape and dtype of the input and matches float64."""
    x = rng.uniform(1.0, 2.0, size=(int(rng.integers(2, 6)), 3))
    answer = submission.call("center", x)
    expect_close(answer, oracle.center(x), tolerance=TOLERANCE, what="centred", dtype="float64")


@suite.check(timeout_seconds=60)
def input_is_kept(submission: Submission, rng: np.random.Generator) -> None:
    """The array that is handed in is still what it was."""
    x = Tensor(rng.uniform(1.0, 2.0, size=4), kind="numpy")
    kept = submission.put(x)
    submission.call("center", kept)
    expect_unchanged(kept, x, what="x")
