"""A round of the envelope drill: each reply is judged, kept, and moves the date of its concept."""

from __future__ import annotations

from dataclasses import dataclass

from deepfield_cli.journey.cards import AGAIN, CONCEPT, GOOD
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.counts import DRILL
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry
from deepfield_cli.practice.envelope import ENVELOPE, draw_questions, drills_about
from deepfield_cli.practice.question import Question


@dataclass(frozen=True, slots=True)
class Reply:
    """What was replied to a question.

    Attributes:
        question: the question.
        text: as it was typed; "" if the learner passed.
        value: in base units of the question's unit; None if the learner passed.

    """

    question: Question
    text: str
    value: float | None

    @property
    def is_right(self) -> bool:
        """Whether it is within a factor of two; to pass is never right."""
        return self.value is not None and self.question.is_right(self.value)


def record_reply(workspace: Workspace, reply: Reply, seed: int) -> Entry:
    """Keep a reply, and move its concept's card: right is good, wrong is again."""
    from deepfield_cli.journey.scheduling import record_review

    question, at = reply.question, now()
    payload = {
        "drill": ENVELOPE,
        "right": reply.is_right,
        "question": question.id,
        "concept": question.concept,
        "seed": seed,
        "given": {item.name: item.value for item in question.given},
        "answer": question.answer,
        "unit": question.unit,
        "reply": reply.value,
        "text": reply.text[:200],
    }
    with workspace.ledger() as ledger, ledger.batch():
        entry = ledger.append(DRILL, payload, at=at)
        rating = GOOD if reply.is_right else AGAIN
        record_review(ledger, f"{CONCEPT}{question.concept}", rating, "drill", at, details={"entry": entry.id})
    return entry


def questions_about(concepts: list[str], seed: int) -> list[Question]:
    """One question for each concept that drills ask about, drawn anew."""
    return [
        draw_questions(1, seed + place, drills_about(concept))[0]
        for place, concept in enumerate(concepts)
        if drills_about(concept)
    ]
