"""The frozen model of the field quiz: questions of taste, their weights, and how much evidence counts beside opinion.

A field's opinion score is the plain sum of the weights of the answers given, so it is monotone by construction: more
weight on an answer can never lower the field that it speaks for. Evidence adds points for what was passed and enjoyed
and takes points for what was given up, and is capped per field, so that one good week does not outshout everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deepfield_cli.content.problem import Frozen, Identifier, Rung
from deepfield_cli.content.resource import FIELDS, FieldName
from deepfield_cli.errors import ContentError, near_miss

Weight = Annotated[int, Field(ge=0, le=3)]


class Answer(Frozen):
    """One reply, and which fields it speaks for."""

    id: Identifier = Field(description="unique within the question")
    text: str = Field(min_length=3, description="the reply as it is offered")
    because: str = Field(min_length=10, description="the reason shown with the result; completes: because …")
    weights: dict[FieldName, Weight] = Field(min_length=1, description="points for each field; a missing one is 0")


class Question(Frozen):
    """One question about taste, never about ability."""

    id: Identifier = Field(description="unique within the quiz")
    ask: str = Field(min_length=10, description="the question")
    about: str = Field(description="what it finds out, in two or three words")
    answers: tuple[Answer, ...] = Field(min_length=2, description="the replies")

    @model_validator(mode="after")
    def _answers_have_distinct_ids(self) -> Question:
        names = [answer.id for answer in self.answers]
        if len(set(names)) < len(names):
            raise ValueError("two answers share an id")
        return self

    def answer(self, name: str) -> Answer:
        """The answer of this id; raise ContentError with the near miss."""
        for answer in self.answers:
            if answer.id == name:
                return answer
        known = [answer.id for answer in self.answers]
        raise ContentError(
            f'question "{self.id}" has no answer "{name}"', fix=near_miss(name, known) or f"one of {', '.join(known)}"
        )


class PaceBand(Frozen):
    """Points for how long a pass took, against the plan's estimate."""

    up_to: float | None = Field(description="ratio of hours taken to hours planned; null: anything longer")
    points: float = Field(description="points for the field")


class EvidenceWeights(Frozen):
    """What passes, pace, enjoyment and give-ups say beside the opinions."""

    enjoyment: dict[Literal["1", "2", "3", "4", "5"], float] = Field(
        min_length=5, description="points per rated problem, by the rating given after it"
    )
    passed: dict[Rung, float] = Field(min_length=3, description="points per rung passed")
    pace: tuple[PaceBand, ...] = Field(min_length=2, description="points per passed problem, fastest band first")
    given_up: float = Field(lt=0, description="points per problem given up")
    cap: float = Field(gt=0, description="the most that evidence may add to or take from one field")
    enough_problems: int = Field(ge=1, description="problems tried in a field before its evidence counts in full")

    @model_validator(mode="after")
    def _monotone(self) -> EvidenceWeights:
        ratings = [self.enjoyment[rating] for rating in ("1", "2", "3", "4", "5")]
        if ratings != sorted(ratings):
            raise ValueError("enjoyment: a higher rating must never give fewer points")
        if any(points < 0 for points in self.passed.values()):
            raise ValueError("passed: a pass must never take points")
        limits = [band.up_to for band in self.pace]
        if limits[-1] is not None or None in limits[:-1] or limits[:-1] != sorted(filter(None, limits)):
            raise ValueError("pace: bands go from fast to slow, and the last one has no limit")
        points = [band.points for band in self.pace]
        if points != sorted(points, reverse=True):
            raise ValueError("pace: a faster pass must never give fewer points")
        return self

    def pace_points(self, ratio: float) -> float:
        """Points of one pass that took ``ratio`` times the planned hours."""
        return next(band.points for band in self.pace if band.up_to is None or ratio <= band.up_to)


class Sureness(Frozen):
    """What the distance between the first two fields is called, as a share of the highest score possible."""

    clear: float = Field(gt=0, lt=1, description="from this share on the answer is clear")
    leaning: float = Field(gt=0, lt=1, description="from this share on it leans; below, it is open")

    @model_validator(mode="after")
    def _in_order(self) -> Sureness:
        if self.leaning >= self.clear:
            raise ValueError("leaning must be smaller than clear")
        return self


class TryFirst(Frozen):
    """The small real thing to make in a field before it is chosen."""

    field: FieldName = Field(description="the field")
    make: str = Field(min_length=30, description="what to make in a weekend")
    problems: tuple[str, ...] = Field(min_length=1, description="problems that lead there")


class Quiz(Frozen):
    """``curriculum/quiz.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    intro: str = Field(min_length=20, description="what the learner reads first")
    questions: tuple[Question, ...] = Field(min_length=1, description="in order")
    evidence: EvidenceWeights = Field(description="what deeds say beside opinions")
    sureness: Sureness = Field(description="what a lead is called")
    try_first: tuple[TryFirst, ...] = Field(min_length=1, description="one per field, for the two-field rule")

    @model_validator(mode="after")
    def _questions_have_distinct_ids(self) -> Quiz:
        names = [question.id for question in self.questions]
        if len(set(names)) < len(names):
            raise ValueError("two questions share an id")
        return self

    def question(self, name: str) -> Question:
        """The question of this id; raise ContentError with the near miss."""
        for question in self.questions:
            if question.id == name:
                return question
        known = [question.id for question in self.questions]
        raise ContentError(f'the quiz has no question "{name}"', fix=near_miss(name, known) or None)

    def opinion(self, answers: Mapping[str, str]) -> dict[FieldName, int]:
        """Points of each field for the answers given (question id → answer id); unanswered questions give none."""
        chosen = [self.question(question).answer(answer) for question, answer in answers.items()]
        return {field: sum(answer.weights.get(field, 0) for answer in chosen) for field in FIELDS}

    def highest(self, field: FieldName) -> int:
        """The most points that a field can get from opinions."""
        return sum(max(answer.weights.get(field, 0) for answer in question.answers) for question in self.questions)
