"""The statistical checks reject every wrong sampler and no right one: measured on answers drawn from exact chances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import CheckFailed
from graders.kit.draft_pairs import expected_tokens
from graders.llm.speculative import misconceptions, suite, verdicts
from graders.llm.speculative.algorithm import Algorithm, Outcome, Task
from graders.llm.speculative.misconceptions import name_of


class Sampler:
    """Stands for a learner: answers are drawn from what right code, or code with one mistake, would draw from."""

    def __init__(self, bug: str | None, seed: int) -> None:
        self.bugs = frozenset([bug]) if bug else frozenset()
        self.rng = np.random.default_rng(seed)
        self.known: dict[int, tuple[list[Outcome], np.ndarray]] = {}

    def run(self, submission: Any, task: Task, models_there: Any, seeds: Sequence[int]) -> list[Outcome]:
        """In place of the suite's own."""
        if id(task) not in self.known:
            chances = Algorithm(task, self.bugs).outcomes()
            self.known[id(task)] = list(chances), np.array(list(chances.values())) / sum(chances.values())
        outcomes, shares = self.known[id(task)]
        return [outcomes[index] for index in self.rng.choice(len(outcomes), size=len(seeds), p=shares)]


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The suite without workers."""
    monkeypatch.setattr(suite, "send", lambda submission, model: None)
    return monkeypatch


def failed(patch: pytest.MonkeyPatch, check: Any, bug: str | None, seed: int) -> CheckFailed | None:
    """What a check says about this sampler."""
    return next(verdicts_of(patch, check, bug, seed, runs=1))


def verdicts_of(
    patch: pytest.MonkeyPatch, check: Any, bug: str | None, seed: int, runs: int
) -> Iterator[CheckFailed | None]:
    """What a check says in several runs on the same models, which are drawn once."""
    sampler, rng = Sampler(bug, seed), np.random.default_rng(seed)
    asked = ASK(rng)
    patch.setattr(suite, "run", sampler.run)
    patch.setattr(suite, "ask", lambda rng: asked)
    for _ in range(runs):
        try:
            check(None, rng)
            yield None
        except CheckFailed as failure:
            yield failure


ASK = suite.ask
# Followed for seconds, and found at temperature 0 long before.
SLOW_TO_FOLLOW = "cache-not-rolled-back"
SAMPLERS = [bug for bug in misconceptions.STEPS if bug != SLOW_TO_FOLLOW]


@pytest.mark.slow
@pytest.mark.parametrize("bug", SAMPLERS)
def test_a_wrong_sampler_is_rejected(patch: pytest.MonkeyPatch, bug: str) -> None:
    patch.setattr(verdicts, "_best_explanation", lambda questions, names: None)
    assert all(verdicts_of(patch, suite.speculative_sampling, bug, seed=0, runs=12))


@pytest.mark.slow
def test_a_right_sampler_is_never_rejected(patch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        for check in (suite.speculative_sampling, suite.acceptance_rate):
            assert not any(verdicts_of(patch, check, None, seed, runs=25))


@pytest.mark.slow
@pytest.mark.parametrize("bug", SAMPLERS)
def test_a_wrong_sampler_gets_its_own_name(patch: pytest.MonkeyPatch, bug: str) -> None:
    failure = failed(patch, suite.speculative_sampling, bug, seed=1)
    assert failure is not None and failure.diagnosis == name_of(bug)


@pytest.mark.parametrize("bug", ["temperature-on-one-model/not-draft", "never-accepts", "no-bonus-token"])
def test_a_wrong_acceptance_is_rejected_by_its_name(patch: pytest.MonkeyPatch, bug: str) -> None:
    for seed in range(2):
        assert failed(patch, suite.speculative_sampling, bug, seed) is None, "the tokens are right"
        failure = failed(patch, suite.acceptance_rate, bug, seed)
        assert failure is not None and failure.diagnosis == name_of(bug)


def test_a_failure_shows_what_came_how_often(patch: pytest.MonkeyPatch) -> None:
    failure = failed(patch, suite.speculative_sampling, "residual-from-target", seed=3)
    assert failure is not None
    assert "do not come from the right distribution" in failure.rationale
    assert failure.expected is not None and failure.actual is not None
    rows = [line.split() for line in failure.expected.splitlines()]
    assert 2 <= len(rows) <= 6 and all(row[-1].endswith("%") for row in rows)
    assert len(failure.actual.splitlines()) == len(rows)


class Blocks:
    """Stands for a learner on a pair of constant acceptance: only the counts are played, block by block."""

    def __init__(self, acceptance: float, bonus: bool, seed: int) -> None:
        self.acceptance, self.bonus = acceptance, bonus
        self.rng = np.random.default_rng(seed)

    def run(self, submission: Any, task: Task, models_there: Any, seeds: Sequence[int]) -> list[Outcome]:
        """In place of the suite's own."""
        acceptance = 0.8 if task.gamma == 4 else self.acceptance
        return [self.one(task, acceptance) for _ in seeds]

    def one(self, task: Task, acceptance: float) -> Outcome:
        left, proposed, accepted, calls = task.count, 0, 0, 0
        while left > 0:
            due = min(task.gamma, left - 1 if self.bonus else left)
            kept = 0
            while kept < due and self.rng.random() < acceptance:
                kept += 1
            left -= kept + (1 if self.bonus or kept < due else 0)
            proposed, accepted, calls = proposed + due, accepted + kept, calls + 1
        return Outcome((0,) * task.count, proposed, accepted, calls)


@pytest.mark.parametrize("seed", range(5))
def test_tokens_per_call_follow_the_formula(patch: pytest.MonkeyPatch, seed: int) -> None:
    drawn = round(float(np.random.default_rng(seed).uniform(0.5, 0.7)), 2)
    patch.setattr(suite, "run", Blocks(drawn, bonus=True, seed=seed).run)
    metrics = suite.tokens_per_call(None, np.random.default_rng(seed))
    assert metrics is not None
    assert metrics["expected_tokens_a08_g4"] == pytest.approx(expected_tokens(0.8, 4), rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_tokens_per_call_miss_the_bonus(patch: pytest.MonkeyPatch, seed: int) -> None:
    patch.setattr(suite, "run", Blocks(0.6, bonus=False, seed=seed).run)
    with pytest.raises(CheckFailed, match=r"a target call gives 3\.36 tokens"):
        suite.tokens_per_call(None, np.random.default_rng(seed))
