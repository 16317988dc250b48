"""What ``review`` says: what is due, what is laid out, and when it comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.cards import Card
from deepfield_cli.journey.reviewing import Agenda, OpenReview, Reviewed
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION

_SHOWN = 12
_SECONDS_PER_DAY = 86400
_STYLES = {"again": "bad", "hard": "warn", "good": "good", "easy": "good"}


def show_agenda(console: Console, agenda: Agenda, now: datetime) -> None:
    """Print what is due and what comes next."""
    if not (agenda.due or agenda.later):
        console.print("Nothing comes back yet: a problem does some days after you solve it, a concept after a drill.")
        return
    if agenda.due:
        console.print(Text(f"{len(agenda.due)} due", "warn"))
        console.print(_table(agenda.due[:_SHOWN], now))
        _show_rest(console, len(agenda.due) - _SHOWN)
        console.print(foreign(f"Next: {_next(agenda)}", "accent"))
    else:
        console.print(Text("Nothing is due.", "good").append("  Next:", "quiet"))
        console.print(_table(agenda.later[:3], now))


def show_open(console: Console, review: OpenReview, where: str, entry: str) -> None:
    """Say where to write."""
    word = "Laid out" if review.is_new else "Begun already, and still the stub"
    console.print(foreign(f"{word}: {where}/{entry}"))
    console.print(Text("Write it again from nothing; your first solution stays where it is.", "quiet"))
    console.print(foreign(f"Then: deepfield review {review.problem}   (grades it)", "accent"))


def show_reviewed(console: Console, reviewed: Reviewed, now: datetime) -> None:
    """Say what it came to."""
    line = Text(reviewed.rating, _STYLES[reviewed.rating]).append(f"  {reviewed.because}", "")
    console.print(line.append(f"  comes back {_when(reviewed.due, now)}", "quiet"))


def agenda_document(agenda: Agenda) -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "due": [_card(card) for card in agenda.due],
        "later": [_card(card) for card in agenda.later],
    }


def reviewed_document(review: OpenReview, reviewed: Reviewed) -> dict[str, Any]:
    """A review that was graded, for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "problem": review.problem,
        "rating": reviewed.rating,
        "because": reviewed.because,
        "due": reviewed.due.isoformat(),
    }


def _card(card: Card) -> dict[str, Any]:
    kind = "concept" if card.concept else "problem"
    return {"kind": kind, "id": card.concept or card.id, "due": card.due.isoformat()}


def _table(cards: tuple[Card, ...], now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    for card in cards:
        kind = "concept" if card.concept else "problem"
        table.add_row(Text(f"  {kind}", "quiet"), foreign(card.concept or card.id), Text(_when(card.due, now), "quiet"))
    return table


def _show_rest(console: Console, count: int) -> None:
    if count > 0:
        console.print(Text(f"  and {count} more", "quiet"))


def _next(agenda: Agenda) -> str:
    first = agenda.due[0]
    return "deepfield review concepts" if first.concept else f"deepfield review {first.id}"


def _when(due: datetime, now: datetime) -> str:
    days = (due - now).total_seconds() / _SECONDS_PER_DAY
    if days <= 0:
        waited = int(-days)
        return f"waiting for {waited} {'day' if waited == 1 else 'days'}" if waited else "today"
    ahead = max(round(days), 1)
    return "tomorrow" if ahead == 1 else f"in {ahead} days"
