"""The rung laptop on small models: the code that times is run, and what it says does not hang on how fast this is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Submission
from deepfield_cli.sandbox.staging import read_submission
from graders.llm.speculative import suite
from graders.llm.speculative.oracle import Config
from tests.problems.conftest import Desk

LOCATION = find_location("llm/speculative")
SOLUTIONS = LOCATION.solutions()
WRONG = LOCATION.grader / "wrong"


Submit = Callable[[Path], AbstractContextManager[tuple[Submission, Submission]]]


@pytest.fixture
def submitted(desk: Desk) -> Submit:
    """A worker with a submission and one with the shipped solution, as a grade at rung laptop would start them."""

    @contextmanager
    def opened(source: Path) -> Iterator[tuple[Submission, Submission]]:
        with desk.stage(LOCATION, read_submission(source, "inference.py").files, "laptop") as stage:
            both = stage.submission(desk.pool, 120.0), stage.shipped(desk.pool, 120.0)
            try:
                yield both
            finally:
                for one in both:
                    one.close()

    return opened


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Small models, two rounds, and bars that any speed clears."""
    monkeypatch.setattr(suite, "ROUNDS", 2)
    monkeypatch.setattr(suite, "SPEED_MODEL", Config(17, 24, 2, 2, 8))
    monkeypatch.setattr(suite, "SPEED_TARGET", Config(8, 48, 2, 2, 16))
    monkeypatch.setattr(suite, "SPEED_DRAFT", Config(8, 48, 1, 2, 12))
    monkeypatch.setattr(suite, "CACHED_BAR", 0.0)
    monkeypatch.setattr(suite, "SPECULATIVE_BAR", 0.0)
    return monkeypatch


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_right_code_passes_and_is_measured(submitted: Submit, solution: Path) -> None:
    with submitted(solution) as (own, shipped):
        first = suite.cached_speed(own, np.random.default_rng(0), shipped)
        second = suite.speculative_speed(own, np.random.default_rng(0), shipped)
    assert first is not None and first["cached_speedup"] > 0
    assert second is not None and {"speculative_speedup", "tokens_per_call"} <= second.keys()


def test_too_slow_is_told_with_both_numbers(submitted: Submit, small: pytest.MonkeyPatch) -> None:
    small.setattr(suite, "CACHED_BAR", 1e9)
    small.setattr(suite, "SPECULATIVE_BAR", 1e9)
    with submitted(SOLUTIONS[0]) as (own, shipped):
        for check in (suite.cached_speed, suite.speculative_speed):
            with pytest.raises(CheckFailed) as caught:
                check(own, np.random.default_rng(0), shipped)
            assert caught.value.expected == "at least 1e+09 times"
            assert "times" in caught.value.rationale


def test_speed_is_worth_nothing_without_the_right_tokens(submitted: Submit) -> None:
    with submitted(WRONG / "repeats_the_last_token.py") as (own, shipped), pytest.raises(CheckFailed) as caught:
        suite.cached_speed(own, np.random.default_rng(0), shipped)
    assert "tokens that generate returns" in caught.value.rationale
    with submitted(WRONG / "always_accepts_when_sampling.py") as (own, shipped), pytest.raises(CheckFailed) as caught:
        suite.speculative_speed(own, np.random.default_rng(0), shipped)
    words = caught.value.rationale
    assert "do not come from the target" in words or "a target call gives" in words
