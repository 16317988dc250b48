"""What is drawn shows every known mistake, tells each from every other, and never hangs on rounding."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from graders.kit.draft_pairs import acceptance_rate, constant_acceptance
from graders.llm.speculative import algorithm, cases, misconceptions, models, oracle, suite
from graders.llm.speculative.algorithm import Algorithm
from graders.llm.speculative.asking import LOGITS_TOLERANCE
from graders.llm.speculative.misconceptions import name_of
from graders.llm.speculative.oracle import Config

ROOT = Path(__file__).resolve().parents[3]
PROBLEM = ROOT / "problems" / "llm" / "speculative"
WRONG = ROOT / "graders" / "llm" / "speculative" / "wrong"
SEEDS = range(6)


def divergence(wrong: dict[tuple[int, ...], float], right: dict[tuple[int, ...], float]) -> float:
    """Pearson's distance, with a thousandth for what is impossible."""
    return sum(
        (wrong.get(cell, 0) - right.get(cell, 0)) ** 2 / max(right.get(cell, 0), 1e-3) for cell in {*wrong, *right}
    )


# ---- logits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_mistakes_in_the_logits_are_far_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = models.draw(rng, suite.draw_config(rng))
    tokens = cases.draw_prompt(rng, model.config.vocab_size, 17)
    chunks = cases.draw_chunks(rng, tokens)
    for names, cut in ((misconceptions.CACHE, chunks), (misconceptions.FORWARD, [list(tokens)])):
        answers = {"right": oracle.logits(model, tokens)[0]}
        answers |= {bug: np.concatenate(oracle.chunked(model, cut, frozenset({bug}))) for bug in names}
        scale = np.abs(answers["right"]).max()
        for (first, one), (second, other) in itertools.combinations(answers.items(), 2):
            # the exact GELU is the nearest: three hundred times its distance from the tanh formula would be visible
            least = 2 if "exact-gelu" in (first, second) else 100
            assert np.abs(one - other).max() > least * LOGITS_TOLERANCE.relative * scale, (first, second)


def test_chunks_are_of_every_kind() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        chunks = cases.draw_chunks(rng, tuple(range(17)))
        assert [token for chunk in chunks for token in chunk] == list(range(17))
        assert len(chunks) >= 4 and len(chunks[0]) > 1


# ---- temperature 0 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["agreeing", "hostile", "other"])
def test_no_greedy_choice_is_close(seed: int, kind: str) -> None:
    task = cases.draw_greedy(np.random.default_rng(seed), Config(9, 80, 2, 3, 12), kind, 3)
    found = Algorithm(task)
    assert len(found.outcomes()) == 1
    assert found.smallest_margin > cases.CLEAR_LEAD > 100 * LOGITS_TOLERANCE.relative


@pytest.mark.parametrize("seed", range(3))
def test_every_miscount_has_counts_of_its_own(seed: int) -> None:
    task = cases.draw_counted(np.random.default_rng(seed), 3)
    seen = {algorithm.only_outcome(task).counts: "right"}
    for bug in misconceptions.COUNTS:
        counts = algorithm.only_outcome(task, frozenset({bug})).counts
        assert seen.setdefault(counts, name_of(bug)) == name_of(bug), bug


@pytest.mark.parametrize("seed", SEEDS)
def test_mistakes_in_a_step_show_in_greedy_text(seed: int) -> None:
    task = cases.draw_stepped(np.random.default_rng(seed), Config(11, 80, 2, 3, 12), 3)
    texts = {tuple(oracle.greedy(task.target, task.prompt, task.count)): "right"}
    for bug in misconceptions.GREEDY_STEPS:
        assert texts.setdefault(algorithm.only_outcome(task, frozenset({bug})).tokens, bug) == bug
    # accepting by the inverted ratio accepts all that is proposed, where every chance is 0 or 1
    inverted = algorithm.only_outcome(task, frozenset({"ratio-inverted"})).tokens
    assert texts[inverted] == "always-accepts"


# ---- sampling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("temperature", "gamma"), cases.SAMPLED)
def test_sampled_tasks_have_the_chances_they_were_designed_for(temperature: float, gamma: int) -> None:
    task = cases.draw_sampled(np.random.default_rng(1), temperature, gamma)
    rng = np.random.default_rng(1)
    assert cases.draw_prompt(rng, 4, 2) == task.prompt
    p, q = models.telling_chances(rng)
    for wanted, model in ((p, task.target), (q, task.draft)):
        found = oracle.tempered(oracle.logits(model, task.prompt)[0, -1], temperature)
        assert np.abs(found - wanted).max() < 1e-5
    assert np.abs(task.target.weights["head"]).max() < models.LARGEST_HEAD


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_every_wrong_sampler_is_far_from_the_right_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [cases.draw_sampled(rng, temperature, gamma) for temperature, gamma in cases.SAMPLED]
    right = [Algorithm(task).tokens() for task in tasks]
    for bug in misconceptions.STEPS:
        found = [Algorithm(task, frozenset({bug})).tokens() for task in tasks]
        assert sum(map(divergence, found, right)) > 0.3, bug


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_only_changes_the_acceptance_shows_in_the_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [cases.draw_sampled(rng, temperature, gamma) for temperature, gamma in cases.SAMPLED]
    right = [suite._counts(Algorithm(task)) for task in tasks]
    for bug in ("temperature-on-one-model/not-draft", "never-accepts", "no-bonus-token"):
        found = [suite._counts(Algorithm(task, frozenset({bug}))) for task in tasks]
        assert sum(map(divergence, found, right)) > 0.2, bug


@pytest.mark.parametrize("seed", SEEDS)
def test_every_mistaken_filter_shows_and_looks_like_no_other(seed: int) -> None:
    drawn = cases.draw_filters(np.random.default_rng(seed))
    strange: dict[str, list[float]] = {}
    for bug in misconceptions.FILTERS:
        cells = [suite._cells(case.mistaken(bug)) for case in drawn]
        strange[bug] = [
            min(divergence(found, suite._cells(right)) for right in case.right)
            for found, case in zip(cells, drawn, strict=True)
        ]
        assert max(strange[bug]) > 0.2, bug
    for first, second in itertools.combinations(misconceptions.FILTERS, 2):
        pairs = [(suite._cells(case.mistaken(first)), suite._cells(case.mistaken(second))) for case in drawn]
        apart = max(max(divergence(one, other), divergence(other, one)) for one, other in pairs)
        assert name_of(first) == name_of(second) or apart > 0.2, (first, second)


def test_no_top_p_is_near_a_sum() -> None:
    for seed in range(20):
        for case in cases.draw_filters(np.random.default_rng(seed)):
            if case.asked.top_p in (None, 1.0):
                continue
            p = np.sort(oracle.filtered(case.scores, oracle.Filter(case.asked.temperature, case.asked.top_k)))[::-1]
            assert np.abs(np.cumsum(p) - case.asked.top_p).min() > 0.01


def test_tied_tokens_have_equal_logits() -> None:
    tied = [case for case in cases.draw_filters(np.random.default_rng(0)) if len(case.right) == 3]
    assert len(tied) == 2
    for case in tied:
        ordered = np.sort(case.scores)[::-1]
        assert ordered[1] - ordered[2] < 1e-12
        columns = case.model.weights["head"][:, np.argsort(-case.scores)[1:3]]
        assert np.array_equal(columns[:, 0], columns[:, 1])


@pytest.mark.parametrize("acceptance", [0.5, 0.8])
def test_a_bigram_model_accepts_as_its_table_says(acceptance: float) -> None:
    rng = np.random.default_rng(2)
    pair = constant_acceptance(rng, 6, acceptance)
    config = Config(6, 40, 2, 2, 12)
    target, draft = models.bigram(rng, config, pair.target), models.bigram(rng, config, pair.draft)
    tokens = rng.integers(6, size=30)
    p, q = (oracle.tempered(oracle.logits(model, tokens)[0], 1.0) for model in (target, draft))
    for place, token in enumerate(tokens):
        assert np.abs(p[place] - pair.target[token]).max() < 1e-5
        assert acceptance_rate(p[place], q[place]) == pytest.approx(acceptance, abs=1e-5)


# ---- names -----------------------------------------------------------------------------------------------------------


def declared() -> set[str]:
    return set(yaml.safe_load((PROBLEM / "problem.yaml").read_text(encoding="utf-8"))["misconceptions"])


def test_every_misconception_is_named_by_a_check_and_made_by_a_wrong_submission() -> None:
    claimed = {
        line.split("diagnosis:")[1].strip() for line in (path.read_text().split("\n")[0] for path in WRONG.glob("*.py"))
    }
    assert declared() - claimed == set()
    searched = {*misconceptions.FORWARD, *misconceptions.CACHE, *misconceptions.FILTERS, *misconceptions.GREEDY_STEPS}
    searched |= {*misconceptions.ACCEPTANCE}
    assert {name_of(bug) for bug in searched} <= declared()


def test_the_brief_names_every_check_and_no_other() -> None:
    brief = (PROBLEM / "README.md").read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `(\w+)` \| ", brief, flags=re.MULTILINE))
    names = {check.name for check in suite.suite.checks}
    assert names <= table
    assert table - names == {"cache", "logits", "gamma", "generator", "stats"}


def test_the_brief_states_the_formula_right() -> None:
    brief = (PROBLEM / "README.md").read_text(encoding="utf-8")
    assert "3.36 for a = 0.8, γ = 4" in brief
    assert sum(0.8**count for count in range(5)) == pytest.approx(3.3616)
