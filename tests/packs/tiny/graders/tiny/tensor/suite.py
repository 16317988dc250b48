"""The hidden check of tiny/tensor."""

from __future__ import annotations

import numpy as np

from deepfield_cli.grading import Submission, Suite, Tensor, Tolerance, expect_close

suite = Suite("tiny/tensor")

# Doubling is exact in binary floating point.
TOLERANCE = Tolerance(relative=1e-7)


@suite.check(timeout_seconds=60)
def twice_matches(submission: Submission, rng: np.random.Generator) -> None:
    """Every element is doubled; shape and dtype stay."""
    x = rng.uniform(1.0, 2.0, size=(2, 3)).astype(np.float32)
    right = 2.0 * x.astype(np.float64)
    bugs = {"squared": lambda: x.astype(np.float64) ** 2}
    expect_close(submission.call("twice", Tensor(x)), right, tolerance=TOLERANCE, what="y", dtype="float32", bugs=bugs)
