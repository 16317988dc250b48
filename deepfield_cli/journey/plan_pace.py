"""The plan: which problem in which weeks, from hours a week and a first day; and how the learner stands against it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.ledger import Ledger

PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Step:
    """One problem of the plan.

    Attributes:
        problem: its id.
        hours: how long it is given.
        start: the first day.
        end: the day after the last.

    """

    problem: str
    hours: float
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What was planned.

    Attributes:
        hours_per_week: hours a week.
        start: the first day.
        steps: the problems in order.

    """

    hours_per_week: float
    start: date
    steps: tuple[Step, ...]

    @property
    def ends(self) -> date:
        """The day after the last."""
        return self.steps[-1].end if self.steps else self.start


@dataclass(frozen=True, slots=True)
class Pace:
    """How the learner stands against the plan.

    Attributes:
        days: days ahead of it; negative: behind.
        due: the first problem of the plan that is not solved; None once all are.
        solved: how many of its problems are solved.
        total: how many it has.

    """

    days: int
    due: Step | None
    solved: int
    total: int


def read_plan(ledger: Ledger) -> Plan | None:
    """The plan that was made last."""
    entries = ledger.entries(PLAN, limit=1)
    if not entries:
        return None
    payload = ledger.payload(entries[0])
    problems = [(str(name), float(hours)) for name, hours in payload["problems"]]
    return schedule(float(payload["hours_per_week"]), date.fromisoformat(payload["start"]), problems)


def schedule(hours_per_week: float, start: date, problems: Sequence[tuple[str, float]]) -> Plan:
    """Lay problems one after the other: each starts where the one before ends, on whole days."""
    steps, done = [], 0.0
    for problem, hours in problems:
        first = start + timedelta(days=math.floor(done / hours_per_week * 7))
        done += hours
        last = start + timedelta(days=math.ceil(done / hours_per_week * 7))
        steps.append(Step(problem, hours, first, max(last, first + timedelta(days=1))))
    return Plan(hours_per_week, start, tuple(steps))


def pace(plan: Plan, solved: Collection[str], today: date, ungraded: Collection[str] = ()) -> Pace:
    """Compare the first unsolved problem with its days: after them is behind, before them ahead, within them on time.

    What nothing can grade yet is passed over: nobody is behind with it.
    """
    due = next((step for step in plan.steps if step.problem not in solved and step.problem not in ungraded), None)
    number = sum(step.problem in solved for step in plan.steps)
    if due is None:
        ahead = max((plan.ends - today).days, 0) if number == len(plan.steps) else 0
        return Pace(ahead, None, number, len(plan.steps))
    days = min((due.end - today).days, 0) or max((due.start - today).days, 0)
    if today < plan.start:
        days = max((due.start - plan.start).days, 0)
    return Pace(days, due, number, len(plan.steps))
