"""Hints: one at a time, in order, and each on the record."""

from __future__ import annotations

from dataclasses import dataclass

from deepfield_cli.content.problem import Problem
from deepfield_cli.grading.diagnoses import look_up
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.past_attempt import newest_attempt
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger

HINT = "hint"


@dataclass(frozen=True)
class NamedMistake:
    """The mistake that the last attempt was recognised by."""

    attempt: int
    check: str
    name: str
    explanation: str
    help: str


@dataclass(frozen=True)
class Hint:
    """One hint, and where it stands among the others."""

    number: int
    text: str


@dataclass(frozen=True)
class Hints:
    """What ``hint`` has to say.

    Attributes:
        problem: problem id.
        total: how many hints the problem has.
        hints: those to show now: the next one, or again those that were shown before; none after the last.
        shown: how many were shown so far, with this one.
        mistake: the mistake of the last attempt, which says more than any hint.

    """

    problem: str
    total: int
    hints: tuple[Hint, ...]
    shown: int
    mistake: NamedMistake | None

    @property
    def remaining(self) -> int:
        """How many have not been shown."""
        return self.total - self.shown


def next_hint(workspace: Workspace, problem: Problem) -> Hints:
    """Give the next hint and record that it was given."""
    with workspace.ledger() as ledger:
        last = newest_attempt(ledger, problem.id)
        with ledger.batch():  # two terminals at once must not be given the same hint
            shown = _shown(ledger, problem)
            hints = _texts(problem, shown, shown + 1)
            for hint in hints:
                payload = {"hint": hint.number, "after_attempt": last.number if last else None}
                ledger.append(HINT, payload, problem=problem.id, at=now())
        return Hints(problem.id, len(problem.hints), hints, shown + len(hints), _mistake(ledger, problem))


def shown_hints(workspace: Workspace, problem: Problem) -> Hints:
    """The hints that were given so far, once more; nothing is recorded."""
    with workspace.record() as ledger:
        shown = _shown(ledger, problem)
        return Hints(problem.id, len(problem.hints), _texts(problem, 0, shown), shown, _mistake(ledger, problem))


def _shown(ledger: Ledger, problem: Problem) -> int:
    return min(ledger.count(HINT, problem.id), len(problem.hints))


def _texts(problem: Problem, first: int, end: int) -> tuple[Hint, ...]:
    return tuple(Hint(number, text) for number, text in enumerate(problem.hints, start=1))[first:end]


def _mistake(ledger: Ledger, problem: Problem) -> NamedMistake | None:
    last = newest_attempt(ledger, problem.id)
    if last is None or last.solved or last.check is None or last.diagnosis is None:
        return None
    known = look_up(last.diagnosis, problem)
    return NamedMistake(last.number, last.check, last.diagnosis, known.explanation, known.help) if known else None
