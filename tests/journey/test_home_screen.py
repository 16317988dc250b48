"""The home screen: one look, one screen, and what it must not load."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from io import StringIO

import pytest

from deepfield_cli.journey.enjoyment import record_enjoyment
from deepfield_cli.journey.plan import make_plan
from deepfield_cli.journey.progress import read_status
from deepfield_cli.journey.season import commit
from deepfield_cli.journey.season_page import reach_milestone
from deepfield_cli.journey.status import Status
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.console import make_console
from deepfield_cli.render.enjoyment import ask_enjoyment
from deepfield_cli.render.status import show_status
from tests.conftest import RunCli
from tests.journey.conftest import Attempted, SetClock


def screen(status: Status, *, width: int = 80, everything: bool = False) -> list[str]:
    console = make_console(StringIO(), width=width)
    show_status(console, status, everything=everything)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def lively(workspace: Workspace, attempted: Attempted, set_clock: SetClock) -> Workspace:
    """Somebody in the third week of a season."""
    set_clock("2026-11-02T08:00")
    make_plan(workspace, 8.0, date(2026, 11, 2), ["llm"])
    commit(workspace, "llm")
    attempted("llm/attention", "2026-11-05T10:00", solved=True)
    attempted("llm/bpe", "2026-11-17T10:00", solved=False)
    attempted("llm/bpe", "2026-11-18T10:00", solved=False)
    set_clock("2026-11-18T20:00")
    reach_milestone(workspace, 1)
    return workspace


def test_it_tells_season_pace_streak_and_next_step(lively: Workspace) -> None:
    text = "\n".join(screen(read_status(lively)))
    assert "week 3 of 12" in text
    assert "10 weeks left" in text
    assert "1 of 5 milestones" in text
    assert "streak  2 days" in text
    assert "llm/bpe until 2026-11" in text
    assert "next    deepfield" in text


@pytest.mark.parametrize("width", [80, 100, 132])
def test_it_fits_one_screen(lively: Workspace, width: int) -> None:
    lines = screen(read_status(lively), width=width)
    assert len(lines) <= 23  # and the prompt
    assert all(len(line.rstrip()) <= width for line in lines)
    assert len(screen(read_status(lively), everything=True)) > 40


def test_it_invites_where_nothing_is_decided(workspace: Workspace) -> None:
    text = "\n".join(screen(read_status(workspace)))
    assert "deepfield pick-field" in text
    assert "deepfield plan --hours-per-week 8" in text
    assert "deepfield start llm/attention" in text


def test_pace_changes_with_the_day(lively: Workspace, set_clock: SetClock) -> None:
    assert read_status(lively).pace is not None
    set_clock("2027-01-30T08:00")
    pace = read_status(lively).pace
    assert pace is not None
    assert pace.days < 0
    assert any("behind the plan" in line for line in screen(read_status(lively)))


def test_a_stage_is_surveyed_by_its_rule(workspace: Workspace, attempted: Attempted) -> None:
    def surveyed() -> list[str]:
        return [field.name for field in read_status(workspace).fields if field.surveyed]

    for problem in ("llm/attention", "llm/bpe", "llm/speculative"):
        attempted(problem, "2026-11-05T10:00", solved=True)
    assert surveyed() == []
    attempted("llm/gpt2", "2026-11-06T10:00", solved=True, rung="laptop")
    assert surveyed() == ["llm"]


def test_the_next_step_stays_in_the_season(workspace: Workspace, attempted: Attempted) -> None:
    attempted("llm/attention", "2026-11-05T10:00", solved=True)
    commit(workspace, "llm")
    assert read_status(workspace).next_step.command == "deepfield start llm/bpe"


def test_the_document(lively: Workspace, run_cli: RunCli) -> None:
    shown = json.loads(
        run_cli("status", "--json", cwd=lively.root, environment={"DEEPFIELD_NOW": "2026-11-18T20:00"}).stdout
    )
    assert shown["season"]["field"] == "llm"
    assert (shown["season"]["week"], shown["season"]["ends"]) == (3, "2027-01-25")
    assert shown["streak"] == {"days": 2, "today": True}
    assert shown["pace"]["due"]["problem"] == "llm/bpe"


def test_a_wrong_clock_is_told(workspace: Workspace, run_cli: RunCli) -> None:
    refused = run_cli("status", cwd=workspace.root, environment={"DEEPFIELD_NOW": "soon"})
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


_LOADED = """
import sys
from deepfield_cli.cli.app import run
code = run(sys.argv[1:])
heavy = {"torch", "numpy", "pydantic", "yaml", "sqlite_utils"} & {name.partition(".")[0] for name in sys.modules}
print("loaded", code, *sorted(heavy), file=sys.stderr)
"""


def loaded_by(workspace: Workspace, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _LOADED, *arguments],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stderr.strip().splitlines()[-1]


def test_a_warm_look_loads_neither_pydantic_nor_yaml(lively: Workspace) -> None:
    read_status(lively)  # fills the cache
    assert loaded_by(lively, "status") == "loaded 0"
    assert loaded_by(lively, "plan") == "loaded 0"


@pytest.mark.parametrize(
    "arguments",
    [
        ["season"],
        ["resources"],
        ["search", "attention"],
        ["show", "llm"],
        ["show", "signals"],
        ["attest"],
        ["gap", "list"],
    ],
    ids=" ".join,
)
def test_no_command_of_the_road_loads_torch(lively: Workspace, arguments: list[str]) -> None:
    found = loaded_by(lively, *arguments).split()
    assert found[:2] == ["loaded", "0"]
    assert not {"torch", "numpy", "sqlite_utils"} & set(found)


@pytest.mark.parametrize(("key", "rating"), [("1", 1), ("5", 5), ("6", None), ("\r", None), ("x", None)])
def test_one_key_answers_how_much_it_was_enjoyed(key: str, rating: int | None) -> None:
    assert ask_enjoyment(make_console(StringIO(), width=80), lambda: key) == rating


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt, OSError])
def test_no_key_skips(error: type[BaseException]) -> None:
    def interrupted() -> str:
        raise error

    assert ask_enjoyment(make_console(StringIO(), width=80), interrupted) is None


def test_ratings_show_up_in_the_season(lively: Workspace, run_cli: RunCli) -> None:
    record_enjoyment(lively, "llm/attention", 5, "core")
    shown = run_cli("season", cwd=lively.root, environment={"DEEPFIELD_NOW": "2026-11-18T20:00"}).stdout
    assert "enjoyed at 5.0 of 5" in shown
