"""Every drill: the answer is the definition's, the steps lead to it, the text names what is needed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfield_cli.content.resource import FIELDS
from deepfield_cli.content.roadmap_loader import load_roadmap
from deepfield_cli.errors import ContentError
from deepfield_cli.practice.envelope import draw_questions, drills, drills_about
from deepfield_cli.practice.quantity import parse_quantity
from deepfield_cli.practice.question import Drill, Question
from tests.drills.definitions import DEFINITIONS

ROOT = Path(__file__).parents[2]
# The steps show four digits, so what they lead to may be off by a little.
AS_WRITTEN = 5e-3
seeds = st.integers(min_value=0, max_value=2**32 - 1)
every_drill = pytest.mark.parametrize("drill", drills(), ids=lambda drill: drill.id)


def _given(question: Question) -> dict[str, float]:
    return {item.name: item.value for item in question.given}


def _worked_out(working: str) -> float:
    """Do the arithmetic as a reader would, from the written line alone."""
    python = working.replace("×", "*").replace("−", "-").replace("^", "**").replace(",", "")
    python = python.replace("√", "math.sqrt").replace("ln(", "math.log(")
    assert re.fullmatch(r"[-+*/(). \de]|(?:[-+*/(). \de]|math\.sqrt|math\.log)+", python), working
    return float(eval(python, {"math": math, "__builtins__": {}}))  # the alphabet was checked above


def test_there_are_enough() -> None:
    assert len(drills()) >= 40
    assert {field: len(drills(field)) >= 7 for field in FIELDS} == dict.fromkeys(FIELDS, True)
    assert len({drill.id for drill in drills()}) == len(drills())
    assert set(DEFINITIONS) == {drill.id for drill in drills()}


def test_concepts_and_sources_are_in_the_roadmap() -> None:
    roadmap = load_roadmap(ROOT)
    for drill in drills():
        assert drill.concept in roadmap.concepts, drill.id
        assert set(drill.sources) <= set(roadmap.resources), drill.id
        assert drill.field in FIELDS
    assert all(drills_about(drill.concept) for drill in drills())


@every_drill
@settings(max_examples=25)
@given(seed=seeds)
def test_the_answer_is_that_of_the_definition(drill: Drill, seed: int) -> None:
    question = drill.question(Random(seed))
    definition = DEFINITIONS[drill.id]
    assert math.isfinite(question.answer) and question.answer > 0
    assert question.unit == definition.unit
    assert question.answer == pytest.approx(definition.compute(**_given(question)), rel=definition.tolerance)
    assert definition.low <= question.answer <= definition.high


@every_drill
@settings(max_examples=15)
@given(seed=seeds)
def test_the_steps_lead_to_the_answer(drill: Drill, seed: int) -> None:
    question = drill.question(Random(seed))
    assert question.steps[-1].value == question.answer
    for step in question.steps:
        assert _worked_out(step.working) == pytest.approx(step.value, rel=AS_WRITTEN)
        assert parse_quantity(step.result, step.unit) == pytest.approx(step.value, rel=AS_WRITTEN)
        assert step.label and step.why


@every_drill
@settings(max_examples=15)
@given(seed=seeds)
def test_the_text_names_every_number(drill: Drill, seed: int) -> None:
    question = drill.question(Random(seed))
    assert question.text.endswith("?") or "?" in question.text
    for item in question.given:
        assert re.search(rf"(?<![\d.,]){re.escape(item.words)}(?![\d])", question.text), item
        assert parse_quantity(item.words, item.unit) == pytest.approx(item.value, rel=1e-12)


@every_drill
@settings(max_examples=10)
@given(seed=seeds, data=st.data())
def test_it_moves_the_way_it_should(drill: Drill, seed: int, data: st.DataObject) -> None:
    """The definition, which the test above ties to the drill, rises and falls with its numbers."""
    definition, given_numbers = DEFINITIONS[drill.id], _given(drill.question(Random(seed)))
    named = {*definition.rises, *definition.falls}
    assert named <= set(given_numbers)
    name = data.draw(st.sampled_from(sorted(named)))
    value = given_numbers[name]
    # shares and discounts stay below one; whole numbers stay whole
    larger = value + (1 - value) / 10 if value < 1 else value * 2
    before, after = definition.compute(**given_numbers), definition.compute(**{**given_numbers, name: larger})
    assert (after > before) if name in definition.rises else (after < before)


@every_drill
def test_its_questions_differ(drill: Drill) -> None:
    texts = {drill.question(Random(seed)).text for seed in range(60)}
    assert len(texts) >= 4


@given(seed=seeds, count=st.integers(min_value=1, max_value=90))
@settings(max_examples=20)
def test_a_round_repeats_by_its_seed_and_no_drill_before_all_were_seen(seed: int, count: int) -> None:
    questions = draw_questions(count, seed)
    assert questions == draw_questions(count, seed)
    assert len(questions) == count
    first = [question.id for question in questions[: len(drills())]]
    assert len(set(first)) == len(first)


@given(seed=seeds, field=st.sampled_from(FIELDS))
@settings(max_examples=15)
def test_a_round_keeps_to_its_field(seed: int, field: str) -> None:
    assert {question.field for question in draw_questions(5, seed, drills(field))} == {field}


def test_an_unknown_field_is_named_with_its_neighbour() -> None:
    with pytest.raises(ContentError, match='did you mean "vision"'):
        drills("visoin")


@given(seed=seeds, factor=st.floats(min_value=0.01, max_value=100))
def test_right_means_within_a_factor_of_two(seed: int, factor: float) -> None:
    question = draw_questions(1, seed)[0]
    assert question.is_right(question.answer * factor) is (0.5 <= factor <= 2) or abs(math.log2(factor)) % 1 < 1e-6
    assert question.is_right(question.answer * 2) and question.is_right(question.answer / 2)
    assert not question.is_right(question.answer * 2.001) and not question.is_right(question.answer / 2.001)
    assert question.is_right(parse_quantity(question.answer_in_words, question.unit))
