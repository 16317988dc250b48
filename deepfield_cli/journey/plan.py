"""Making a plan: what is not solved yet, laid out over the weeks from the hours that there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from deepfield_cli.content.catalogue import Catalogue, read_catalogue
from deepfield_cli.errors import ContentError, DeepfieldError, WorkspaceError, near_miss
from deepfield_cli.journey.clock import now, today
from deepfield_cli.journey.plan_pace import PLAN, Pace, Plan, pace, read_plan, schedule
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.workspace import Workspace

MOST_HOURS_PER_WEEK = 112.0  # sixteen hours a day


def make_plan(workspace: Workspace, hours_per_week: float, start: date, fields: Sequence[str] = ()) -> Plan:
    """Plan what is not solved yet, in the order of the road or of the fields named, and record it."""
    if not 0 < hours_per_week <= MOST_HOURS_PER_WEEK:
        raise DeepfieldError(f"--hours-per-week: {hours_per_week:g} is not between 0 and {MOST_HOURS_PER_WEEK:g}")
    catalogue = read_catalogue()
    chosen = _fields(catalogue, fields)
    solved = {one.problem.id for one in read_problems(workspace) if one.first_rung.is_done}
    hours = [
        (problem.id, problem.hours)
        for field in chosen
        for problem in catalogue.of_field(field)
        if problem.hours and problem.id not in solved
    ]
    if not hours:
        raise DeepfieldError("there is nothing left to plan", fix="deepfield status shows what is solved")
    payload = {"hours_per_week": hours_per_week, "start": start.isoformat(), "problems": hours}
    with workspace.ledger() as ledger:
        ledger.append(PLAN, payload, at=now())
    return schedule(hours_per_week, start, hours)


def _fields(catalogue: Catalogue, wanted: Sequence[str]) -> Sequence[str]:
    stages = [stage.id for stage in catalogue.stages]
    for name in wanted:
        if name not in stages:
            hint = near_miss(name, stages) or f"one of {', '.join(stages)}"
            raise ContentError(f'--field: there is no field "{name}"', fix=hint)
    return list(dict.fromkeys(wanted)) or stages


def open_plan(workspace: Workspace) -> tuple[Plan, Pace]:
    """The plan that was made last and how the learner stands against it; raise WorkspaceError where there is none."""
    with workspace.record() as ledger:
        plan = read_plan(ledger)
    if plan is None:
        raise WorkspaceError("no plan yet", fix="deepfield plan --hours-per-week 8 makes one")
    problems = read_problems(workspace)
    solved = {one.problem.id for one in problems if one.first_rung.is_done}
    ungraded = {one.problem.id for one in problems if not one.problem.graded}
    return plan, pace(plan, solved, today(), ungraded)
