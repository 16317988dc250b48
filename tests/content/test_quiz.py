"""The field quiz means what it should: monotone, balanced, no field out of reach, and a pure type wins clearly."""

from __future__ import annotations

import random
from collections import Counter
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.quiz import Answer, EvidenceWeights, Quiz
from deepfield_cli.content.resource import FIELDS, FieldName
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError

QUIZ = load_model(builtin_pack().root / "curriculum" / "quiz.yaml", Quiz)
REPLIES = st.fixed_dictionaries(
    {question.id: st.sampled_from([answer.id for answer in question.answers]) for question in QUIZ.questions}
)


def winners(scores: dict[FieldName, int]) -> set[FieldName]:
    return {field for field in FIELDS if scores[field] == max(scores.values())}


def purest(field: FieldName) -> dict[str, str]:
    """What somebody replies who wants only this field; among equals, the reply that helps others most."""

    def rank(answer: Answer) -> tuple[int, int]:
        return answer.weights.get(field, 0), sum(answer.weights.values())

    return {question.id: max(question.answers, key=rank).id for question in QUIZ.questions}


def test_size_and_wording(roadmap: Roadmap) -> None:
    assert roadmap.quiz == QUIZ
    assert 12 <= len(QUIZ.questions) <= 16
    assert f"{_number_word(len(QUIZ.questions))} questions" in QUIZ.intro
    assert all(question.ask.endswith("?") for question in QUIZ.questions)
    reasons = [answer.because for question in QUIZ.questions for answer in question.answers]
    assert len(set(reasons)) == len(reasons), "each reason tells its answer apart"
    assert all(reason.startswith(("you ", "a ", "programs", "twice", "pictures", "models", "experiments", "silent",
                                  "an ", "entropy", "densities", "recursions", "questions", "counting", "tensors",
                                  "the equation")) for reason in reasons), "completes: because …"  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_pure_type_wins_its_field_clearly(field: FieldName) -> None:
    scores = QUIZ.opinion(purest(field))
    second = max(points for other, points in scores.items() if other != field)
    assert scores[field] == QUIZ.highest(field)
    assert scores[field] >= 2 * second
    assert (scores[field] - second) / QUIZ.highest(field) > QUIZ.sureness.clear


def test_every_field_can_reach_the_same() -> None:
    assert len({QUIZ.highest(field) for field in FIELDS}) == 1


def test_every_question_has_a_best_answer_for_every_field() -> None:
    """Otherwise a question would be a vote against a field, whatever one replies."""
    for question in QUIZ.questions:
        for field in FIELDS:
            assert max(answer.weights.get(field, 0) for answer in question.answers) == 3, (question.id, field)


def test_answers_at_random_favour_nobody() -> None:
    """Expected points are within 5 % of each other, and each field wins its share of random quizzes."""
    means = [
        sum(
            sum(answer.weights.get(field, 0) for answer in question.answers) / len(question.answers)
            for question in QUIZ.questions
        )
        for field in FIELDS
    ]
    assert max(means) <= 1.05 * min(means)
    rng = random.Random(20261123)
    wins: Counter[str] = Counter()
    leads: list[float] = []
    for _ in range(4000):
        scores = QUIZ.opinion({question.id: rng.choice(question.answers).id for question in QUIZ.questions})
        wins[rng.choice(sorted(winners(scores)))] += 1
        first, second = sorted(scores.values(), reverse=True)[:2]
        leads.append((first - second) / QUIZ.highest("llm"))
    assert all(0.15 < wins[field] / 4000 < 0.25 for field in FIELDS), wins
    percentiles = quantiles(leads, n=100)
    assert percentiles[64] < QUIZ.sureness.leaning, "two thirds of random quizzes are called open"
    assert percentiles[94] < QUIZ.sureness.clear + 1e-9, "nineteen in twenty are not called clear"


@given(replies=REPLIES, data=st.data())
def test_monotone_in_every_answer(replies: dict[str, str], data: st.DataObject) -> None:
    """A reply that gives a field more and the others no more never takes the first place away from it."""
    field = data.draw(st.sampled_from(FIELDS))
    question = data.draw(st.sampled_from(QUIZ.questions))
    before = question.answer(replies[question.id]).weights
    better = [answer for answer in question.answers if _favours(answer.weights, before, field)]
    if not better:
        return
    changed = {**replies, question.id: data.draw(st.sampled_from(better)).id}
    old, new = QUIZ.opinion(replies), QUIZ.opinion(changed)
    assert new[field] > old[field]
    for other in FIELDS:
        assert new[field] - new[other] >= old[field] - old[other]
    assert field in winners(new) or field not in winners(old)


@given(replies=REPLIES)
def test_no_reply_takes_points_away(replies: dict[str, str]) -> None:
    """Answering one more question never lowers any field."""
    fewer = dict(list(replies.items())[1:])
    assert all(QUIZ.opinion(replies)[field] >= QUIZ.opinion(fewer)[field] for field in FIELDS)


def test_nothing_answered_is_nobody() -> None:
    assert QUIZ.opinion({}) == dict.fromkeys(FIELDS, 0)


def test_a_misspelt_reply_names_the_near_miss() -> None:
    with pytest.raises(ContentError, match='did you mean "slow-at-4096"'):
        QUIZ.opinion({"friday-bug": "slow-at-409"})
    with pytest.raises(ContentError, match='did you mean "friday-bug"'):
        QUIZ.opinion({"fryday-bug": "slow-at-4096"})


def test_deeds_count_beside_opinions_and_never_drown_them() -> None:
    evidence = QUIZ.evidence
    assert evidence.enjoyment["3"] == 0, "a neutral rating moves nothing"
    assert evidence.given_up < 0 < evidence.passed["core"] <= evidence.passed["laptop"] <= evidence.passed["paper"]
    assert 0.2 <= evidence.cap / QUIZ.highest("llm") <= 0.35
    # three problems passed and loved outweigh one changed reply, three given up and hated too
    loved = 3 * (evidence.enjoyment["5"] + evidence.passed["core"])
    hated = 3 * (evidence.enjoyment["1"] + evidence.given_up)
    assert loved > 3 > -3 > hated


@pytest.mark.parametrize(("ratio", "points"), [(0.1, 1), (0.5, 1), (0.51, 0.5), (1.0, 0.5), (1.01, 0), (40.0, 0)])
def test_pace(ratio: float, points: float) -> None:
    assert QUIZ.evidence.pace_points(ratio) == points


def test_weights_that_punish_joy_are_refused() -> None:
    good = QUIZ.evidence.model_dump()
    with pytest.raises(ValueError, match="higher rating"):
        EvidenceWeights.model_validate({**good, "enjoyment": {"1": 2, "2": 1, "3": 0, "4": -1, "5": -2}})


def test_something_to_try_in_every_field() -> None:
    assert [attempt.field for attempt in QUIZ.try_first] == list(FIELDS)
    for attempt in QUIZ.try_first:
        assert all(problem.startswith(f"{attempt.field}/") for problem in attempt.problems)


def _favours(new: dict[FieldName, int], old: dict[FieldName, int], field: FieldName) -> bool:
    others = all(new.get(other, 0) <= old.get(other, 0) for other in FIELDS if other != field)
    return others and new.get(field, 0) > old.get(field, 0)


def _number_word(number: int) -> str:
    return {12: "Twelve", 13: "Thirteen", 14: "Fourteen", 15: "Fifteen", 16: "Sixteen"}[number]
