"""Which field is yours: opinions and deeds become points, points a ranking with reasons, and the ranking is doubted.

The points of a field are the sum of the weights of the answers that speak for it, and of what its deeds say. Each term
only rises when a reply or a deed speaks more for the field, so no answer can hurt the field that it praises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from deepfield_cli.content.problem import RUNGS
from deepfield_cli.content.quiz import EvidenceWeights, Question, Quiz, TryFirst
from deepfield_cli.content.resource import FIELDS, FieldName
from deepfield_cli.journey.deeds import Deeds

Sure = Literal["clear", "leaning", "open"]
_REASONS = 4
_ENJOYED = 4  # a rating from here on is joy
_NO_DEEDS = Deeds()


@dataclass(frozen=True, slots=True)
class Ranked:
    """One field, and what speaks for and against it.

    Attributes:
        field: the field.
        opinion: points from the answers.
        evidence: points from deeds, capped.
        reasons: what they rest on, the weightiest first.

    """

    field: FieldName
    opinion: int
    evidence: float
    reasons: tuple[str, ...]

    @property
    def points(self) -> float:
        """Opinion and evidence together."""
        return self.opinion + self.evidence


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One reply that would have changed the first place.

    Attributes:
        question: id of the question.
        ask: the question.
        answer: id of the other answer.
        text: the other answer.
        winner: the field that would win.
        lead: by how many points.

    """

    question: str
    ask: str
    answer: str
    text: str
    winner: FieldName
    lead: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The result of the quiz.

    Attributes:
        ranking: every field, the best first.
        sure: clear, leaning or open.
        lead: points of the first field before the second.
        changes: single replies that would put another field first, the strongest first; empty: none would.
        try_first: what to make in each of the two fields at the top before choosing.
        answered: how many questions were answered.
        questions: how many there are.

    """

    ranking: tuple[Ranked, ...]
    sure: Sure
    lead: float
    changes: tuple[WhatIf, ...]
    try_first: tuple[TryFirst, ...]
    answered: int
    questions: int


def choose_field(quiz: Quiz, answers: Mapping[str, str], deeds: Mapping[str, Deeds]) -> Choice:
    """Weigh the answers (question id to answer id) and deeds (by field); raise ContentError for an unknown id."""
    evidence = {field: evidence_points(quiz.evidence, deeds.get(field, _NO_DEEDS)) for field in FIELDS}
    ranking = _rank(quiz, answers, evidence, deeds)
    lead = ranking[0].points - ranking[1].points
    top = {ranked.field for ranked in ranking[:2]}
    by_field = {one.field: one for one in quiz.try_first}
    return Choice(
        ranking=ranking,
        sure=_sure(quiz, lead),
        lead=lead,
        changes=_changes(quiz, answers, evidence, ranking[0].field),
        try_first=tuple(by_field[ranked.field] for ranked in ranking if ranked.field in top & by_field.keys()),
        answered=len(answers),
        questions=len(quiz.questions),
    )


def evidence_points(weights: EvidenceWeights, deeds: Deeds) -> float:
    """Points from deeds. A few passes cannot say much for a field; what speaks against it counts at once.

    Rises with every pass, rung and rating and with speed, and falls with every give-up: the upper cap grows with the
    passes alone, and the sum grows with each of them.
    """
    points = sum(weights.enjoyment[_key(rating)] for rating in (deeds.ratings or {}).values())
    for passed in deeds.passes:
        points += sum((weights.passed[rung] for rung in RUNGS if rung in passed.rungs), 0.0)
        points += weights.pace_points(passed.ratio) if passed.ratio is not None else 0.0
    points += weights.given_up * len(deeds.given_up)
    known = min(len(deeds.passes) / weights.enough_problems, 1.0)
    return max(-weights.cap, min(points, weights.cap * known))


def _key(rating: int) -> Literal["1", "2", "3", "4", "5"]:
    keys: tuple[Literal["1", "2", "3", "4", "5"], ...] = ("1", "2", "3", "4", "5")
    return keys[rating - 1]


def _rank(
    quiz: Quiz, answers: Mapping[str, str], evidence: Mapping[FieldName, float], deeds: Mapping[str, Deeds]
) -> tuple[Ranked, ...]:
    opinion = quiz.opinion(answers)
    ranked = [
        Ranked(field, opinion[field], evidence[field], _reasons(quiz, answers, field, deeds.get(field, _NO_DEEDS)))
        for field in FIELDS
    ]
    return tuple(sorted(ranked, key=lambda one: (-one.points, -one.evidence, FIELDS.index(one.field))))


def _reasons(quiz: Quiz, answers: Mapping[str, str], field: FieldName, deeds: Deeds) -> tuple[str, ...]:
    """Deeds first, then the answers that speak most for this field and least for others."""
    spoken = [quiz.question(question).answer(answer) for question, answer in answers.items()]
    speaking = [answer for answer in spoken if answer.weights.get(field, 0) > 0]
    speaking.sort(key=lambda answer: (-answer.weights[field], sum(answer.weights.values())))
    words = [*_deeds_in_words(field, deeds), *(answer.because for answer in speaking)]
    return tuple(words[:_REASONS])


def _deeds_in_words(field: str, deeds: Deeds) -> list[str]:
    words = []
    ratings = list((deeds.ratings or {}).values())
    if ratings:
        joy = sum(rating >= _ENJOYED for rating in ratings)
        words.append(f"you enjoyed {joy} of the {len(ratings)} {field} problems that you rated")
    if deeds.passes:
        higher = sum(len(passed.rungs) > 1 for passed in deeds.passes)
        words.append(
            f"you passed {len(deeds.passes)} {field} problem{'s' if len(deeds.passes) > 1 else ''}"
            + (f", {higher} beyond the first rung" if higher else "")
        )
    if deeds.given_up:
        words.append(f"you gave up on {_list(deeds.given_up)}")
    fast = [passed.problem for passed in deeds.passes if passed.ratio is not None and passed.ratio <= _FAST]
    if fast:
        words.append(f"you were faster than planned with {_list(fast)}")
    return words


_FAST = 0.5


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sure(quiz: Quiz, lead: float) -> Sure:
    share = lead / max(quiz.highest(field) for field in FIELDS)
    if share >= quiz.sureness.clear:
        return "clear"
    return "leaning" if share >= quiz.sureness.leaning else "open"


def _changes(
    quiz: Quiz, answers: Mapping[str, str], evidence: Mapping[FieldName, float], winner: FieldName
) -> tuple[WhatIf, ...]:
    found = []
    for question in quiz.questions:
        if question.id in answers:
            found += _other_winners(quiz, question, answers, evidence, winner)
    return tuple(sorted(found, key=lambda change: -change.lead))


def _other_winners(
    quiz: Quiz,
    question: Question,
    answers: Mapping[str, str],
    evidence: Mapping[FieldName, float],
    winner: FieldName,
) -> list[WhatIf]:
    found = []
    for answer in question.answers:
        if answer.id == answers[question.id]:
            continue
        ranking = _rank(quiz, {**answers, question.id: answer.id}, evidence, {})
        if ranking[0].field != winner:
            lead = ranking[0].points - ranking[1].points
            found.append(WhatIf(question.id, question.ask, answer.id, answer.text, ranking[0].field, lead))
    return found
