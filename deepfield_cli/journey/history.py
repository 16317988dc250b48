"""The history: what was tried, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.journey.past_attempt import ATTEMPT, FAULT, PastAttempt, past_attempt
from deepfield_cli.journey.workspace import Workspace, choose_problem, problem_at
from deepfield_cli.ledger import Ledger


@dataclass(frozen=True, slots=True)
class History:
    """Some attempts, the newest first.

    Attributes:
        problem: the problem that they are about; None for all.
        attempts: the newest ones.
        total: how many there are altogether.

    """

    problem: str | None
    attempts: tuple[PastAttempt, ...]
    total: int


def read_history(workspace: Workspace, wanted: str | None, limit: int) -> History:
    """The newest attempts at a problem: the one named, else the one of this folder, else all.

    Only the payloads of what is shown are read, so that a long past costs no more than a short one.
    """
    with workspace.record() as ledger:
        problem = problem_at_hand(workspace, ledger, wanted)
        entries = [entry for kind in (ATTEMPT, FAULT) for entry in ledger.entries(kind, problem, limit)]
        newest = sorted(entries, key=lambda entry: entry.id, reverse=True)[:limit]
        total = sum(ledger.count(kind, problem) for kind in (ATTEMPT, FAULT))
        return History(problem, tuple(past_attempt(entry, ledger.payload(entry)) for entry in newest), total)


def problem_at_hand(workspace: Workspace, ledger: Ledger, wanted: str | None) -> str | None:
    """The problem asked for, else the one of this folder, else None for all.

    One that no pack holds any more is known by its attempts.
    """
    if wanted is None:
        here = problem_at(workspace, Path.cwd())
        return here.id if here is not None else None
    name = wanted.strip("/")
    return name if ledger.count(ATTEMPT, name) else choose_problem(workspace, wanted).id
