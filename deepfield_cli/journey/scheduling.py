"""The scheduler: how a rating moves a card's date, by FSRS, and the entry that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from deepfield_cli.journey.cards import CONCEPT, REVIEW, newest_review, read_cards, read_deck
from deepfield_cli.ledger import Entry, Ledger

if TYPE_CHECKING:
    import fsrs

RATINGS = {1: "again", 2: "hard", 3: "good", 4: "easy"}
# A card that is put into the deck by another one comes the day after.
_ENROLLED_AFTER = timedelta(days=1)
_STATE = ("state", "step", "stability", "difficulty", "due", "last_review")


def record_review(
    ledger: Ledger,
    card: str,
    rating: int,
    because: str,
    at: datetime,
    *,
    enrol: Iterable[str] = (),
    details: Mapping[str, Any] | None = None,
    solved: bool | None = None,
    score: float | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Entry:
    """Append a review: the rating, what the scheduler makes of it, and the dates of all cards from now on.

    ``enrol``: concepts that come into the deck with it; those that are there already keep their dates.
    """
    with ledger.batch():  # the dates of all cards stand in this entry: nobody may write another in between
        deck = read_deck(ledger)
        for name in enrol:
            deck.setdefault(f"{CONCEPT}{name}", _text(at + _ENROLLED_AFTER))
        state = next_state(_state_before(ledger, card), rating, at)
        deck[card] = state["due"]
        payload = {
            "card": card,
            "rating": RATINGS[rating],
            "because": because,
            "state": state,
            "due": deck,
            **(details or {}),
        }
        problem = None if card.startswith(CONCEPT) else card
        return ledger.append(REVIEW, payload, problem=problem, solved=solved, score=score, files=files, at=at)


def next_state(state: Mapping[str, Any] | None, rating: int, at: datetime) -> dict[str, Any]:
    """What a rating makes of a card; None for a card that was never rated. Plain JSON in and out."""
    import fsrs

    card = fsrs.Card(card_id=0) if state is None else fsrs.Card.from_dict({"card_id": 0, **state})  # type: ignore[typeddict-item]
    moved, _ = _scheduler().review_card(card, fsrs.Rating(rating), at.astimezone(UTC))
    columns: dict[str, Any] = dict(moved.to_dict())
    columns["due"] = _text(moved.due)
    return {name: columns[name] for name in _STATE}


def _scheduler() -> fsrs.Scheduler:
    """Whole days only, and no chance in it: the record must give the same dates wherever it is read."""
    import fsrs

    return fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False, maximum_interval=365)


def _state_before(ledger: Ledger, card: str) -> Mapping[str, Any] | None:
    """The state that the last review left; for a problem without any, that which its first pass would have left."""
    found = newest_review(ledger, card)
    if found is not None:
        state: Mapping[str, Any] = found[1]["state"]
        return state
    passed = next((one for one in read_cards(ledger) if one.id == card and one.passed_at is not None), None)
    if passed is None or passed.passed_at is None:
        return None
    return next_state(None, passed.first_rating, passed.passed_at)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
