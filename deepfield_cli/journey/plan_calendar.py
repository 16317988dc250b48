"""The learner's calendar: the plan's problems, and the milestones and end of the season at hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.journey.calendar import Event, plan_events, write_calendar
from deepfield_cli.journey.clock import now, today
from deepfield_cli.journey.plan import open_plan
from deepfield_cli.journey.season import last_season
from deepfield_cli.journey.season_page import open_season
from deepfield_cli.journey.workspace import Workspace


def plan_calendar(workspace: Workspace) -> bytes:
    """The calendar as an .ics file's bytes; raise WorkspaceError without a plan."""
    plan, _ = open_plan(workspace)
    about = {problem.id: (problem.title, problem.summary) for problem in read_catalogue().problems}
    events = [*plan_events(plan.steps, about), *_season_events(workspace)]
    return write_calendar(events, now())


def _season_events(workspace: Workspace) -> Iterator[Event]:
    with workspace.record() as ledger:
        season = last_season(ledger)
    if season is None or season.is_over(today()):
        return
    day = timedelta(days=1)
    for milestone in open_season(workspace).milestones:
        title = f"{season.field}: milestone {milestone.number}"
        uid = f"season-{season.number}-{milestone.number}@deepfield"
        yield Event(uid, title, milestone.text, milestone.due, milestone.due + day)
    text = "The season is over: deepfield pick-field looks at the evidence again."
    yield Event(
        f"season-{season.number}-end@deepfield",
        f"End of the {season.field} season",
        text,
        season.ends,
        season.ends + day,
    )
