"""A problem that was tried, with everything that graders measured at it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from deepfield_cli.journey.clock import day_of
from deepfield_cli.journey.curves import Curve, curves_in
from deepfield_cli.journey.portfolio.reached import Reached, metric_key, targets_reached
from deepfield_cli.journey.status import ProblemStatus, RungStatus
from deepfield_cli.ledger import Entry, Ledger

_SOLVED = ("solved", "outdated")


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a problem: always verified, since a grader measured it.

    Attributes:
        name: core, laptop or paper.
        state: solved, outdated, tried or open.
        day: when it was first solved.
        attempts: how many were scored.

    """

    name: str
    state: str
    day: date | None
    attempts: int

    @property
    def is_solved(self) -> bool:
        """Whether a grader has measured it as solved, if only by checks that have changed since."""
        return self.state in _SOLVED


@dataclass(frozen=True, slots=True)
class Score:
    """One attempt: when, at which rung, and how much of it passed."""

    at: str
    rung: str
    score: float


@dataclass(frozen=True, slots=True)
class Proved:
    """One problem with everything that was measured.

    Attributes:
        id: problem id.
        title: what it is called.
        difficulty: medium, hard, brutal or legendary.
        field: its field.
        rungs: the rungs that it has.
        scores: every attempt, the oldest first.
        targets: numbers to reach, of the rungs that were tried.
        measured: other numbers of the solving attempts.
        curves: curves of the solving attempts.
        hints: hints shown.
        gave_up: whether the solution was opened before it was solved.

    """

    id: str
    title: str
    difficulty: str
    field: str
    rungs: tuple[Rung, ...]
    scores: tuple[Score, ...]
    targets: tuple[Reached, ...]
    measured: Mapping[str, float]
    curves: tuple[Curve, ...]
    hints: int
    gave_up: bool

    @property
    def is_solved(self) -> bool:
        """Whether any rung was solved."""
        return any(rung.is_solved for rung in self.rungs)


def proved(ledger: Ledger, status: ProblemStatus) -> Proved:
    """What the record proves of one problem."""
    problem = status.problem
    entries = ledger.entries("attempt", problem.id, newest_first=False)
    rungs = tuple(_rung(rung) for rung in status.rungs if rung.state != "absent")
    metrics = {rung.name: _metrics(ledger, entries, rung.name) for rung in rungs}
    targets = tuple(targets_reached(problem.id, metrics, {rung.name for rung in rungs if rung.attempts}))
    everything = {name: value for found in metrics.values() for name, value in found.items()}
    named = {metric_key(target.id) for target in targets}
    others = {name: value for name, value in everything.items() if "@" not in name and metric_key(name) not in named}
    return Proved(
        id=problem.id,
        title=problem.title,
        difficulty=problem.difficulty,
        field=problem.field,
        rungs=rungs,
        scores=tuple(_score(entry) for entry in entries if entry.score is not None),
        targets=targets,
        measured=others,
        curves=curves_in(everything),
        hints=status.hints_shown,
        gave_up=status.gave_up,
    )


def _rung(rung: RungStatus) -> Rung:
    day = day_of(rung.solved_at) if rung.solved_at else None
    return Rung(rung.rung, rung.state, day, rung.attempts)


def _score(entry: Entry) -> Score:
    return Score(entry.at, entry.rung or "", entry.score or 0.0)


def _metrics(ledger: Ledger, entries: Iterable[Entry], rung: str) -> dict[str, float]:
    """Every finite number that the newest solving attempt at a rung measured."""
    solving = [entry for entry in entries if entry.rung == rung and entry.solved]
    if not solving:
        return {}
    found: dict[str, float] = {}
    for check in ledger.payload(solving[-1]).get("checks", ()):
        found.update(check.get("metrics") or {})
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}
