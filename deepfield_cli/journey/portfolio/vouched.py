"""What no grader can see: somebody has vouched for it, and it is said who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from deepfield_cli.journey.clock import day_of
from deepfield_cli.journey.counts import ATTEST, CONFIRM
from deepfield_cli.ledger import Entry, Ledger

if TYPE_CHECKING:
    from deepfield_cli.content.roadmap import Roadmap

EvidenceKind = Literal["verified", "confirmed", "attested"]
_CONFIRMED = {"merged-pr": "Pull request merged", "codeforces-rating": "Codeforces rating"}


@dataclass(frozen=True, slots=True)
class Vouched:
    """Something that no grader can see: confirmed by an outside service, or attested by the learner."""

    kind: EvidenceKind
    title: str
    day: date
    count: int
    link: str | None
    note: str | None


def vouched(ledger: Ledger, roadmap: Roadmap, *, notes: bool) -> tuple[Vouched, ...]:
    """Confirmations and attestations, the oldest first; the learner's notes only if ``notes``."""
    found = []
    for entry in ledger.entries(newest_first=False):
        if entry.kind == ATTEST:
            payload = ledger.payload(entry)
            rubric = roadmap.rubrics.get(payload["rubric"])
            title = rubric.title if rubric else str(payload["rubric"])
            found.append(_one("attested", title, entry, payload, int(payload.get("count", 1)), notes=notes))
        elif entry.kind == CONFIRM:
            payload = ledger.payload(entry)
            found.append(_one("confirmed", _confirmed_title(payload), entry, payload, 1, notes=notes))
    return tuple(found)


def _one(
    kind: EvidenceKind, title: str, entry: Entry, payload: Mapping[str, Any], count: int, *, notes: bool
) -> Vouched:
    link = payload.get("link") or payload.get("url")
    note = payload.get("note") if notes else None
    return Vouched(kind, title, day_of(entry.at), count, str(link) if link else None, str(note) if note else None)


def _confirmed_title(payload: Mapping[str, Any]) -> str:
    what, value = str(payload.get("what", "")), payload.get("value", 1)
    title = _CONFIRMED.get(what, what)
    return title if value == 1 else f"{title}: {value}"
