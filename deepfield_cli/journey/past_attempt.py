"""One attempt of the past, in the words of a learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepfield_cli.ledger import Entry, Ledger

ATTEMPT, FAULT = "attempt", "fault"


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One attempt of the past.

    Attributes:
        number: its entry in the record; what diff, restore, repro and verify take.
        kind: attempt, or fault where the grader itself broke.
        at: when, UTC.
        problem: what was tried.
        rung: at which rung.
        score: 0 to 1; None for a fault.
        solved: whether it solved the rung.
        check: the first check that failed.
        diagnosis: the mistake that this check named.
        seed: the run's seed.

    """

    number: int
    kind: str
    at: str
    problem: str
    rung: str
    score: float | None
    solved: bool
    check: str | None
    diagnosis: str | None
    seed: int | None


def past_attempt(entry: Entry, payload: Mapping[str, Any]) -> PastAttempt:
    """Read an entry of the record and its payload."""
    checks: Sequence[Mapping[str, Any]] = payload.get("checks", ())
    failed = next((check for check in checks if check.get("outcome") in ("failed", "errored")), {})
    return PastAttempt(
        number=entry.id,
        kind=entry.kind,
        at=entry.at,
        problem=entry.problem or "",
        rung=entry.rung or "",
        score=entry.score,
        solved=bool(entry.solved),
        check=failed.get("name"),
        diagnosis=(failed.get("cause") or {}).get("diagnosis"),
        seed=payload.get("seed"),
    )


def newest_attempt(ledger: Ledger, problem: str | None = None) -> PastAttempt | None:
    """The newest attempt at a problem, or at any; a fault of the grader is none."""
    entries = ledger.entries(ATTEMPT, problem, limit=1)
    return past_attempt(entries[0], ledger.payload(entries[0])) if entries else None
