"""The tree of chances against the brief's own words, played out with random numbers, and against the chain rule."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from graders.kit import exactness
from graders.llm.speculative import algorithm, cases, misconceptions, models, oracle
from graders.llm.speculative.algorithm import Algorithm, Outcome, Task, Tokens
from graders.llm.speculative.oracle import Config

TASKS = [(1.0, 1), (0.6, 2), (1.5, 3), (1.0, 9)]


def draw_task(seed: int, temperature: float, gamma: int, count: int = 4) -> Task:
    rng = np.random.default_rng(seed)
    target = models.draw(rng, Config(3, 12, 1, 2, 6), sharpness=1.5)
    draft = models.draw(rng, Config(3, 12, 1, 1, 4), sharpness=1.5)
    return Task(target, draft, (2, 1), count, gamma, temperature)


@pytest.mark.parametrize(("temperature", "gamma"), TASKS)
@pytest.mark.parametrize("seed", range(2))
def test_right_speculation_has_the_targets_distribution(seed: int, temperature: float, gamma: int) -> None:
    task = draw_task(seed, temperature, gamma)
    found = Algorithm(task).tokens()
    expected = oracle.sequence_probabilities(task.target, task.prompt, task.count, temperature)
    assert sum(found.values()) == pytest.approx(1.0)
    for tokens in np.ndindex(expected.shape):
        assert found.get(tokens, 0.0) == pytest.approx(expected[tokens], abs=1e-12)


@pytest.mark.parametrize(("temperature", "gamma"), TASKS)
def test_every_block_adds_one_token_to_those_accepted(temperature: float, gamma: int) -> None:
    task = draw_task(5, temperature, gamma)
    for outcome in Algorithm(task).outcomes():
        assert outcome.accepted + outcome.target_calls == task.count == len(outcome.tokens)
        assert outcome.accepted <= outcome.proposed <= gamma * outcome.target_calls


def played(task: Task, rng: np.random.Generator) -> Outcome:
    """One run by the words of the brief, with no cache and no tree."""
    text: Tokens = task.prompt
    proposed = accepted = calls = 0
    while (left := task.count + len(task.prompt) - len(text)) > 0:
        guesses: Tokens = ()
        q = []
        for _ in range(min(task.gamma, left - 1)):
            q.append(oracle.tempered(task.scores("draft", text + guesses), task.temperature))
            guesses += (int(rng.choice(len(q[-1]), p=q[-1])),)
        p = [
            oracle.tempered(task.scores("target", text + guesses[:index]), task.temperature)
            for index in range(len(guesses) + 1)
        ]
        kept = 0
        while kept < len(guesses) and rng.random() < p[kept][guesses[kept]] / q[kept][guesses[kept]]:
            kept += 1
        last = p[kept] if kept == len(guesses) else np.maximum(p[kept] - q[kept], 0)
        text += (*guesses[:kept], int(rng.choice(len(last), p=last / last.sum())))
        proposed, accepted, calls = proposed + len(guesses), accepted + kept, calls + 1
    return Outcome(text[len(task.prompt) :], proposed, accepted, calls)


@pytest.mark.parametrize(("temperature", "gamma"), TASKS)
def test_the_tree_agrees_with_the_brief_played_out(temperature: float, gamma: int) -> None:
    task = draw_task(7, temperature, gamma)
    chances = Algorithm(task).outcomes()
    rng = np.random.default_rng(8)
    seen = Counter(played(task, rng) for _ in range(3000))
    assert set(seen) <= set(chances)
    cells = sorted(chances)
    found = exactness.chi_square(
        [seen[cell] for cell in cells], [chances[cell] / sum(chances.values()) for cell in cells]
    )
    assert exactness.chi_square_tail(*found) > 1e-4


def test_the_worked_example_of_the_brief() -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    config = Config(3, 8, 1, 1, 6)
    rng = np.random.default_rng(0)
    contexts = [(), (0,), (1,), (2,)]
    target, draft = (models.designed(rng, config, (1,), dict.fromkeys(contexts, row), 1.0) for row in (p, q))
    task = Task(target, draft, (1,), 2, 1, 1.0)

    def first(bugs: frozenset[str] = frozenset()) -> list[float]:
        found = np.zeros(3)
        for tokens, chance in Algorithm(task, bugs).tokens().items():
            found[tokens[0]] += chance
        return found.tolist()

    assert first() == pytest.approx([0.5, 0.3, 0.2], abs=1e-5)
    assert first(frozenset({"residual-from-target"})) == pytest.approx([0.4, 0.32, 0.28], abs=1e-5)
    calls = sum(chance * outcome.target_calls for outcome, chance in Algorithm(task).outcomes().items())
    assert calls == pytest.approx(0.6 * 1 + 0.4 * 2, abs=1e-5)


@pytest.mark.parametrize("kind", ["same", "agreeing", "other", "hostile"])
def test_at_temperature_zero_one_outcome_is_left_and_it_is_the_plain_loop(kind: str) -> None:
    rng = np.random.default_rng(9)
    task = cases.draw_greedy(rng, Config(9, 40, 2, 2, 10), kind, 3)
    outcomes = Algorithm(task).outcomes()
    assert list(outcomes.values()) == [1.0]
    found = algorithm.only_outcome(task)
    assert list(found.tokens) == oracle.greedy(task.target, task.prompt, task.count)
    if kind == "same":
        assert found.accepted == found.proposed
    if kind == "hostile":
        assert found.accepted == 0 and found.target_calls == task.count


def test_no_tokens_take_no_calls() -> None:
    assert algorithm.only_outcome(draw_task(0, 0.0, 3, count=0)) == Outcome((), 0, 0, 0)


def test_every_mistake_is_a_distribution() -> None:
    task = draw_task(11, 0.7, 2)
    for bug in (*misconceptions.STEPS, *misconceptions.ACCEPTANCE):
        outcomes = Algorithm(task, frozenset({bug})).outcomes()
        assert sum(outcomes.values()) == pytest.approx(1.0, abs=1e-9), bug


@pytest.mark.parametrize(
    "bug", ["no-bonus-token", "never-accepts", "draft-cache-out-of-step", "draft-cache-not-rolled-back"]
)
def test_what_only_the_counts_show_leaves_the_tokens_right(bug: str) -> None:
    task = draw_task(12, 1.0, 2)
    right, found = Algorithm(task).tokens(), Algorithm(task, frozenset({bug})).tokens()
    for tokens, chance in right.items():
        assert found[tokens] == pytest.approx(chance, abs=1e-12)
