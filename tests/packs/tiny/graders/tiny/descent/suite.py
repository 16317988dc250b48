"""The hidden checks of tiny/descent."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs, Submission, Suite, Tensor, Tolerance, expect_close
from deepfield_cli.grading.long_run import LongRun

from . import oracle

suite = Suite("tiny/descent")

# A few hundred float64 operations are right to 1e-13; a step too few at the end of 100 changes 3e-6.
TOLERANCE = Tolerance(relative=1e-9)
STEPS = 100


def _expect_weights(actual: Any, expected: np.ndarray, bugs: Bugs | None = None) -> None:
    expect_close(actual, expected, tolerance=TOLERANCE, what="weights", dtype="float64", bugs=bugs)


@suite.check(timeout_seconds=60)
def one_step(submission: Submission, rng: np.random.Generator) -> None:
    """One step goes down the gradient by the rate."""
    weights, gradient = rng.uniform(1.0, 2.0, size=(2, 5))
    bugs = Bugs(partial(oracle.step, weights, gradient, 0.1), ["uphill"])
    _expect_weights(submission.call("step", weights, gradient, 0.1), oracle.step(weights, gradient, 0.1), bugs)


@suite.check(timeout_seconds=60)
def three_steps(submission: Submission, rng: np.random.Generator) -> None:
    """Three steps of training are where three steps lead."""
    target = rng.uniform(1.0, 2.0, size=4)
    _expect_weights(submission.call("train", target, 3), oracle.train(target, 3))


@suite.check(rung="laptop", timeout_seconds=60)
def stays_at_the_minimum(submission: Submission, rng: np.random.Generator) -> None:
    """Where the slope is zero nothing moves."""
    size = int(rng.integers(1, 5))
    _expect_weights(submission.call("train", np.zeros(size), 2), np.zeros(size))


@suite.check(rung="laptop", points=2, timeout_seconds=900)
def reaches_the_minimum(submission: Submission, rng: np.random.Generator, run: LongRun) -> dict[str, float]:
    """A training of a hundred steps arrives, also if it was interrupted on its way."""
    target = rng.uniform(1.0, 2.0, size=4)
    with run.following("progress.jsonl", total=STEPS):
        actual: Tensor = submission.call("train", target, STEPS)
    _expect_weights(actual, oracle.train(target, STEPS))
    return {"final_loss": float(np.sum((actual.array - target) ** 2)), "was_resumed": float(run.resumed)}
