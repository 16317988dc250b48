"""What comes back, and when: the dates of all cards stand in the newest ``review`` entry, so a count costs one look.

A card is a passed problem (``llm/attention``) or a concept that drills ask about (``concept:kv-cache``). The record is
the only truth: each review is an entry that is never changed, with the rating that it earned, what the scheduler made
of it, and the dates of all cards as they were then. The home screen asks ``due_count``; neither the scheduler's package
nor pydantic is imported for it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deepfield_cli.ledger import Entry, Ledger, ProblemProgress

REVIEW = "review"
CONCEPT = "concept:"
AGAIN, HARD, GOOD = 1, 2, 3
# The scheduler's own first intervals for "hard" and "good"; a test holds the two together.
FIRST_DAYS = {HARD: 1, GOOD: 2}


@dataclass(frozen=True, slots=True)
class Card:
    """Something that comes back.

    Attributes:
        id: a problem's id, or ``concept:`` and a concept's id.
        due: when it is due, in UTC.
        passed_at: for a problem without any review yet: when it was first passed, which counts as its first review.
        first_rating: what that first pass counts as: hard if hints were shown.

    """

    id: str
    due: datetime
    passed_at: datetime | None = None
    first_rating: int = GOOD

    @property
    def concept(self) -> str | None:
        """The concept's id; None for a problem."""
        return self.id.removeprefix(CONCEPT) if self.id.startswith(CONCEPT) else None


def due_count(
    ledger: Ledger,
    now: datetime,
    known: Container[str] | None = None,
    *,
    progress: Sequence[ProblemProgress] | None = None,
) -> int | None:
    """How many cards are due; None while there is none at all.

    The home screen joins here. ``known``: ids of problems that can be reviewed; others are passed over. ``progress``:
    the answer of ``ledger.progress()``, where it is at hand: over 100,000 attempts it takes milliseconds.
    """
    cards = read_cards(ledger, known, progress=progress)
    return sum(card.due <= now for card in cards) if cards else None


def due_cards(ledger: Ledger, now: datetime, known: Container[str] | None = None) -> list[Card]:
    """The cards that are due, those that have waited longest first."""
    return sorted((card for card in read_cards(ledger, known) if card.due <= now), key=lambda card: (card.due, card.id))


def read_cards(
    ledger: Ledger, known: Container[str] | None = None, *, progress: Sequence[ProblemProgress] | None = None
) -> list[Card]:
    """Every card: the scheduled ones, and the problems that were passed and never reviewed."""
    deck = {name: Card(name, datetime.fromisoformat(due)) for name, due in read_deck(ledger).items()}
    for card in _passed(ledger, ledger.progress() if progress is None else progress):
        deck.setdefault(card.id, card)
    return [card for card in deck.values() if card.concept or known is None or card.id in known]


def read_deck(ledger: Ledger) -> dict[str, str]:
    """Card to due date, of all cards that were ever scheduled: the newest review knows."""
    newest = ledger.entries(REVIEW, limit=1)
    return dict(ledger.payload(newest[0])["due"]) if newest else {}


def newest_review(ledger: Ledger, card: str) -> tuple[Entry, Mapping[str, Any]] | None:
    """The last review of a card, with its payload."""
    problem = None if card.startswith(CONCEPT) else card
    for entry in ledger.entries(REVIEW, problem):
        payload = ledger.payload(entry)
        if payload["card"] == card:
            return entry, payload
    return None


def _passed(ledger: Ledger, progress: Sequence[ProblemProgress]) -> list[Card]:
    """One card per passed problem, due some days after its first pass."""
    first: dict[str, str] = {}
    for row in progress:
        if row.first_solved_at is not None:
            first[row.problem] = min(row.first_solved_at, first.get(row.problem, row.first_solved_at))
    hinted = {entry.problem: entry.at for entry in ledger.entries("hint")} if first else {}
    cards = []
    for problem, at in first.items():
        passed = datetime.fromisoformat(at)
        rating = HARD if hinted.get(problem, "~") <= at else GOOD
        cards.append(Card(problem, passed + timedelta(days=FIRST_DAYS[rating]), passed, rating))
    return cards
