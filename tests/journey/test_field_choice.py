"""What the ranking means: monotone in answers and in deeds, no field out of reach, and its doubts are true."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.quiz import Answer, Quiz
from deepfield_cli.content.resource import FIELDS, FieldName
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError
from deepfield_cli.journey.deeds import Deeds, Pass
from deepfield_cli.journey.field_choice import Choice, choose_field, evidence_points

QUIZ = load_model(builtin_pack().root / "curriculum" / "quiz.yaml", Quiz)
REPLIES = st.fixed_dictionaries(
    {question.id: st.sampled_from([answer.id for answer in question.answers]) for question in QUIZ.questions}
)
FIELD = st.sampled_from(FIELDS)
NAMES = [f"p{number}" for number in range(5)]
PASS = st.builds(
    Pass,
    problem=st.sampled_from(NAMES),
    rungs=st.sampled_from([("core",), ("core", "laptop"), ("core", "laptop", "paper")]),
    hours=st.just(1.0),
    ratio=st.none() | st.floats(0.0, 5.0),
)
DEEDS = st.builds(
    Deeds,
    passes=st.lists(PASS, max_size=5, unique_by=lambda passed: passed.problem).map(tuple),
    ratings=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 5)),
    given_up=st.lists(st.sampled_from(["g1", "g2", "g3"]), unique=True).map(tuple),
)
WEIGHTS = QUIZ.evidence


def rank_of(choice: Choice, field: FieldName) -> int:
    return [one.field for one in choice.ranking].index(field)


def points_of(choice: Choice, field: FieldName) -> float:
    return next(one.points for one in choice.ranking if one.field == field)


def purest(field: FieldName) -> dict[str, str]:
    def weight(answer: Answer) -> tuple[int, int]:
        return answer.weights.get(field, 0), -sum(answer.weights.values())

    return {question.id: max(question.answers, key=weight).id for question in QUIZ.questions}


@pytest.mark.parametrize("field", FIELDS)
def test_a_pure_type_wins_its_field_clearly_and_for_good(field: FieldName) -> None:
    choice = choose_field(QUIZ, purest(field), {})
    assert choice.ranking[0].field == field
    assert choice.sure == "clear"
    assert choice.changes == ()
    assert all(reason for reason in choice.ranking[0].reasons)


@given(REPLIES, FIELD, st.data())
def test_a_reply_that_speaks_more_for_a_field_never_lowers_it(
    replies: dict[str, str], field: FieldName, data: st.DataObject
) -> None:
    question = data.draw(st.sampled_from(QUIZ.questions))
    before = choose_field(QUIZ, replies, {})
    given_now = question.answer(replies[question.id]).weights.get(field, 0)
    for answer in question.answers:
        if answer.weights.get(field, 0) >= given_now:
            after = choose_field(QUIZ, {**replies, question.id: answer.id}, {})
            assert points_of(after, field) >= points_of(before, field)


@given(REPLIES, FIELD, st.data())
def test_more_weight_on_an_answer_that_was_given_never_costs_its_field_a_place(
    replies: dict[str, str], field: FieldName, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(QUIZ.questions) - 1))
    question = QUIZ.questions[place]
    raised = tuple(
        answer.model_copy(update={"weights": {**answer.weights, field: 3}})
        if answer.id == replies[question.id]
        else answer
        for answer in question.answers
    )
    questions = (
        *QUIZ.questions[:place],
        question.model_copy(update={"answers": raised}),
        *QUIZ.questions[place + 1 :],
    )
    heavier = QUIZ.model_copy(update={"questions": questions})
    assert rank_of(choose_field(heavier, replies, {}), field) <= rank_of(choose_field(QUIZ, replies, {}), field)


@given(DEEDS, st.sampled_from(NAMES), st.integers(1, 4))
def test_more_joy_never_takes_points(deeds: Deeds, problem: str, rating: int) -> None:
    lower = replace(deeds, ratings={**(deeds.ratings or {}), problem: rating})
    higher = replace(deeds, ratings={**(deeds.ratings or {}), problem: rating + 1})
    assert evidence_points(WEIGHTS, higher) >= evidence_points(WEIGHTS, lower)


@given(DEEDS, PASS)
def test_one_more_pass_never_takes_points(deeds: Deeds, passed: Pass) -> None:
    more = replace(deeds, passes=(*deeds.passes, replace(passed, problem="new")))
    assert evidence_points(WEIGHTS, more) >= evidence_points(WEIGHTS, deeds)


@given(DEEDS)
def test_one_more_give_up_never_adds_points(deeds: Deeds) -> None:
    more = replace(deeds, given_up=(*deeds.given_up, "new"))
    assert evidence_points(WEIGHTS, more) <= evidence_points(WEIGHTS, deeds)


@given(DEEDS, st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_a_faster_pass_never_takes_points(deeds: Deeds, first: float, second: float) -> None:
    def with_ratio(ratio: float) -> Deeds:
        return replace(deeds, passes=(*deeds.passes, Pass("new", ("core",), 1.0, ratio)))

    fast, slow = min(first, second), max(first, second)
    assert evidence_points(WEIGHTS, with_ratio(fast)) >= evidence_points(WEIGHTS, with_ratio(slow))


@given(DEEDS)
def test_deeds_never_say_more_than_their_cap(deeds: Deeds) -> None:
    assert -WEIGHTS.cap <= evidence_points(WEIGHTS, deeds) <= WEIGHTS.cap


def test_one_pass_alone_cannot_say_all() -> None:
    joy = Deeds((Pass("a", ("core", "laptop", "paper"), 1.0, 0.1),), {"a": 5})
    assert evidence_points(WEIGHTS, joy) == pytest.approx(WEIGHTS.cap / WEIGHTS.enough_problems)


@given(REPLIES, FIELD)
def test_deeds_move_their_own_field_only(replies: dict[str, str], field: FieldName) -> None:
    without = choose_field(QUIZ, replies, {})
    deeds: dict[str, Deeds] = {field: Deeds((Pass("a", ("core",), 1.0, None),), {"a": 5})}
    moved = choose_field(QUIZ, replies, deeds)
    for other in FIELDS:
        assert (points_of(moved, other) > points_of(without, other)) == (other == field)


@settings(max_examples=5)
@given(REPLIES)
def test_the_doubts_are_true_and_complete(replies: dict[str, str]) -> None:
    choice = choose_field(QUIZ, replies, {})
    told = {(change.question, change.answer): change.winner for change in choice.changes}
    for question in QUIZ.questions:
        for answer in question.answers:
            winner = choose_field(QUIZ, {**replies, question.id: answer.id}, {}).ranking[0].field
            if winner != choice.ranking[0].field:
                assert told.pop((question.id, answer.id)) == winner
    assert not told


@given(REPLIES)
def test_what_to_try_first_are_the_two_at_the_top(replies: dict[str, str]) -> None:
    choice = choose_field(QUIZ, replies, {})
    assert [one.field for one in choice.try_first] == [one.field for one in choice.ranking[:2]]


def test_reasons_tell_deeds_in_words() -> None:
    deeds = Deeds(
        (Pass("mlsys/a", ("core",), 1.0, 0.2), Pass("mlsys/b", ("core", "paper"), 9.0, 2.0)),
        {"mlsys/a": 5, "mlsys/b": 2},
        ("mlsys/c",),
    )
    reasons = choose_field(QUIZ, purest("mlsys"), {"mlsys": deeds}).ranking[0].reasons
    assert reasons == (
        "you enjoyed 1 of the 2 mlsys problems that you rated",
        "you passed 2 mlsys problems, 1 beyond the first rung",
        "you gave up on mlsys/c",
        "you were faster than planned with mlsys/a",
    )


def test_a_tie_is_open_and_goes_to_the_better_deeds() -> None:
    nobody: dict[str, str] = {}
    assert choose_field(QUIZ, nobody, {}).sure == "open"
    deeds = {"recsys": Deeds((Pass("a", ("core",), 1.0, None),))}
    assert choose_field(QUIZ, nobody, deeds).ranking[0].field == "recsys"


def test_an_unknown_reply_is_told_with_its_near_miss() -> None:
    with pytest.raises(ContentError, match="agent-forgets"):
        choose_field(QUIZ, {"friday-bug": "agent-forget"}, {})
