"""The plan, the pace against it, and a calendar that calendars can read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.errors import ContentError, DeepfieldError, WorkspaceError
from deepfield_cli.journey.calendar import Event, write_calendar
from deepfield_cli.journey.plan import make_plan, open_plan
from deepfield_cli.journey.plan_calendar import plan_calendar
from deepfield_cli.journey.plan_pace import pace, schedule
from deepfield_cli.journey.season import commit
from deepfield_cli.journey.workspace import Workspace
from tests.conftest import RunCli
from tests.journey.calendars import read_calendar
from tests.journey.conftest import Attempted, SetClock

START = date(2026, 11, 23)
PROBLEMS = [("a/one", 8.0), ("a/two", 16.0), ("a/three", 4.0)]


def test_problems_follow_each_other_at_the_pace_of_the_week() -> None:
    plan = schedule(8.0, START, PROBLEMS)
    spans = [(step.start - START, step.end - START) for step in plan.steps]
    weeks = [timedelta(weeks=number) for number in (0, 1, 3)]
    assert spans == [(weeks[0], weeks[1]), (weeks[1], weeks[2]), (weeks[2], timedelta(days=25))]


@given(st.floats(0.5, 60.0), st.lists(st.floats(0.1, 90.0), min_size=1, max_size=12))
def test_a_plan_has_no_holes_and_no_empty_problem(hours_per_week: float, hours: list[float]) -> None:
    plan = schedule(hours_per_week, START, [(f"a/{place}", each) for place, each in enumerate(hours)])
    assert plan.steps[0].start == START
    assert all(step.end > step.start for step in plan.steps)
    for step, following in zip(plan.steps, plan.steps[1:], strict=False):
        assert step.start <= following.start <= step.end
    needed = sum(hours) / hours_per_week * 7
    assert needed - 1 <= (plan.ends - START).days <= needed + 2


@pytest.mark.parametrize(
    ("solved", "day", "days"),
    [
        (set(), 0, 0),
        (set(), 7, 0),
        (set(), 10, -3),
        ({"a/one"}, 3, 4),
        ({"a/one"}, 10, 0),
        ({"a/one"}, 22, -1),
        ({"a/one", "a/two", "a/three"}, 20, 5),
        ({"a/one", "a/two", "a/three"}, 90, 0),
        (set(), -5, 0),
    ],
)
def test_pace(solved: set[str], day: int, days: int) -> None:
    assert pace(schedule(8.0, START, PROBLEMS), solved, START + timedelta(days=day)).days == days


def test_nobody_is_behind_with_what_cannot_be_graded() -> None:
    found = pace(schedule(8.0, START, PROBLEMS), {"a/one"}, START + timedelta(weeks=50), ungraded={"a/two", "a/three"})
    assert (found.days, found.due, found.solved, found.total) == (0, None, 1, 3)


def test_a_plan_holds_what_is_not_solved_in_the_order_of_the_road(
    workspace: Workspace, attempted: Attempted, set_clock: SetClock
) -> None:
    attempted("llm/attention", "2026-11-20", solved=True)
    set_clock("2026-11-23T08:00")
    plan = make_plan(workspace, 8.0, START)
    road = [problem.id for problem in read_catalogue().problems if problem.hours]
    assert [step.problem for step in plan.steps] == [name for name in road if name != "llm/attention"]
    assert open_plan(workspace)[0] == plan


def test_stages_take_the_weeks_that_the_road_gives_them(workspace: Workspace) -> None:
    plan = make_plan(workspace, 8.0, START, ["rl"])
    assert abs((plan.ends - START).days - 14 * 7) <= 1  # 12 to 16 weeks
    twice = make_plan(workspace, 4.0, START, ["rl"])
    assert abs((twice.ends - START).days - 28 * 7) <= 1


def test_fields_come_in_the_order_asked_for(workspace: Workspace) -> None:
    plan = make_plan(workspace, 8.0, START, ["mlsys", "llm"])
    fields = list(dict.fromkeys(step.problem.partition("/")[0] for step in plan.steps))
    assert fields == ["mlsys", "llm"]


@pytest.mark.parametrize("hours", [0.0, -1.0, 113.0, float("nan"), float("inf")])
def test_impossible_hours_are_refused(workspace: Workspace, hours: float) -> None:
    with pytest.raises(DeepfieldError, match="--hours-per-week"):
        make_plan(workspace, hours, START)


def test_an_unknown_field_and_no_plan_are_told(workspace: Workspace) -> None:
    with pytest.raises(ContentError, match='did you mean "mlsys"'):
        make_plan(workspace, 8.0, START, ["mlsy"])
    with pytest.raises(WorkspaceError, match="no plan yet"):
        open_plan(workspace)


def test_the_calendar_holds_the_plan_and_the_season(workspace: Workspace, set_clock: SetClock) -> None:
    set_clock("2026-11-23T08:30")
    plan = make_plan(workspace, 8.0, START)
    commit(workspace, "llm")
    calendar = read_calendar(plan_calendar(workspace))
    assert calendar.properties["VERSION"] == "2.0"
    by_uid = {event["UID"]: event for event in calendar.events}
    assert len(by_uid) == len(calendar.events)
    first = by_uid["plan-llm-attention@deepfield"]
    assert first["DTSTAMP"] == "20261123T083000Z"
    assert (first["DTSTART;VALUE=DATE"], first["DTEND;VALUE=DATE"]) == ("20261123", f"{plan.steps[0].end:%Y%m%d}")
    assert first["SUMMARY"] == "llm/attention: Causal multi-head attention, forward and backward"
    assert sum(uid.startswith("plan-") for uid in by_uid) == len(plan.steps)
    assert sum(uid.startswith("season-") for uid in by_uid) == 6  # five milestones and the end


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n,;\\"), max_size=300))
def test_any_text_survives_the_calendar(text: str) -> None:
    stamp = datetime(2026, 11, 23, tzinfo=UTC)
    content = write_calendar([Event("a@b", text, text, START, START + timedelta(days=1))], stamp)
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert b"\n" not in content.replace(b"\r\n", b"")
    event = read_calendar(content).events[0]
    assert (event["SUMMARY"], event["DESCRIPTION"]) == (text, text)


def test_the_command(workspace: Workspace, run_cli: RunCli) -> None:
    made = run_cli("plan", "--hours-per-week", "8", "--start", "2026-11-23", "--ics", "road.ics", cwd=workspace.root)
    assert made.returncode == 0
    assert "8 hours a week" in made.stdout
    assert read_calendar((workspace.root / "road.ics").read_bytes()).events
    shown = json.loads(run_cli("plan", "--json", cwd=workspace.root).stdout)
    assert shown["steps"][0]["problem"] == "llm/attention"
    assert shown["pace"]["total"] == len(shown["steps"])
    for wrong in (["--start", "2026-11-23"], ["--hours-per-week", "8", "--start", "tomorrow"]):
        assert run_cli("plan", *wrong, cwd=workspace.root).returncode == 2
