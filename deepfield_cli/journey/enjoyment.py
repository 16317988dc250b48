"""How much a solved problem was enjoyed, from 1 to 5: asked with one key, recorded, and weighed by the field quiz."""

from __future__ import annotations

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

ENJOY = "enjoy"
RATINGS = ("1", "2", "3", "4", "5")


def record_enjoyment(workspace: Workspace, problem: str, rating: int, rung: str | None = None) -> Entry:
    """Record a rating; the newest one of a problem counts."""
    if str(rating) not in RATINGS:
        raise DeepfieldError(f"{rating} is no rating", fix="1 (never again) to 5 (more of this)")
    with workspace.ledger() as ledger:
        return ledger.append(ENJOY, {"rating": rating}, problem=problem, rung=rung, at=now())


def is_rated(workspace: Workspace, problem: str, rung: str) -> bool:
    """Whether this pass was rated before; one answer is enough."""
    if not workspace.has_record():
        return False
    with workspace.record() as ledger:
        return any(entry.rung == rung for entry in ledger.entries(ENJOY, problem))


def read_ratings(ledger: Ledger, since: str = "") -> dict[str, int]:
    """The newest rating of each problem, of those given since a moment."""
    ratings: dict[str, int] = {}
    for entry in ledger.entries(ENJOY):
        if entry.problem is not None and entry.at >= since:
            ratings.setdefault(entry.problem, int(ledger.payload(entry)["rating"]))
    return ratings
