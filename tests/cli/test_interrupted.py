"""Ctrl-C, a closed terminal, kill -9: no process stays behind, the record proves itself, the next grade works."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from deepfield_cli import __main__ as door
from deepfield_cli import early
from deepfield_cli.journey.workspace import Workspace
from tests.cli.conftest import RIGHT_MEAN, STUCK_MEAN, Outcome, RunHere, Start, belongings, entries_of
from tests.cli.terminal import CTRL_C, Terminal
from tests.conftest import MakeWorkspace

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


@pytest.fixture
def stuck(make_workspace: MakeWorkspace) -> Workspace:
    """A workspace whose submission does not answer."""
    return make_workspace("tiny/mean", STUCK_MEAN)


def assert_interrupted(outcome: Outcome) -> None:
    assert outcome.code == 130
    assert outcome.complaint == "interrupted"


@pytest.mark.parametrize("group", [True, False], ids=["group", "alone"])
@pytest.mark.parametrize("arguments", [("grade",), ("grade", "--json")], ids=["shown", "json"])
def test_ctrl_c_ends_a_grade_in_one_line(
    start_cli: Start, stuck: Workspace, arguments: tuple[str, ...], group: bool
) -> None:
    before = belongings(stuck)
    running = start_cli(*arguments, "tiny/mean", cwd=stuck.root)
    running.wait_for_workers(2)
    running.send(signal.SIGINT, group=group)
    outcome = running.end()
    assert_interrupted(outcome)
    assert outcome.out == ("" if "--json" in arguments else "tiny/mean · core\n")
    before.kept_in(stuck)
    assert entries_of(stuck) == []


def test_ctrl_c_twice_is_no_worse(start_cli: Start, stuck: Workspace) -> None:
    running = start_cli("grade", "tiny/mean", cwd=stuck.root)
    running.wait_for_workers(2)
    running.send(signal.SIGINT)
    running.send(signal.SIGINT)
    outcome = running.end()
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


def test_ctrl_c_in_a_terminal_leaves_it_as_it_was(start_cli: Start, stuck: Workspace) -> None:
    before = belongings(stuck)
    with Terminal() as terminal:
        running = start_cli("grade", "tiny/mean", cwd=stuck.root, **terminal.options)
        running.wait_for_workers(2)
        terminal.wait_for(lambda text: "one_number" in text)
        terminal.press(CTRL_C)
        assert running.end().code == 130
        shown = terminal.shown()
        assert terminal.settings() == terminal.settings_before
    assert shown.rfind(SHOW_CURSOR) > shown.rfind(HIDE_CURSOR) >= 0
    assert shown.rstrip().endswith("deepfield: interrupted")
    assert "Traceback" not in shown
    before.kept_in(stuck)


def test_ctrl_c_while_the_commands_are_being_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(early, "head_start", interrupted)
    with pytest.raises(SystemExit) as ended:
        door.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "deepfield: interrupted\n"


def test_ctrl_c_ends_a_batch(start_cli: Start, stuck: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.py").write_text(STUCK_MEAN)
    running = start_cli("grade", "tiny/mean", "--all", str(folder), "--jobs", "2", cwd=stuck.root)
    running.wait_for_workers(2)
    running.send(signal.SIGINT)
    outcome = running.end()
    assert_interrupted(outcome)
    assert outcome.out == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_grade_that_is_ended_leaves_no_process(start_cli: Start, stuck: Workspace, number: signal.Signals) -> None:
    before = belongings(stuck)
    running = start_cli("grade", "tiny/mean", cwd=stuck.root)
    running.wait_for_workers(2)
    running.send(number, group=False)
    outcome = running.end()
    assert outcome.code == -number
    assert outcome.err == ""
    before.kept_in(stuck)
    assert entries_of(stuck) == []


@pytest.mark.slow
def test_kill_9_at_any_moment_of_a_grade(start_cli: Start, run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    """Whatever it was doing: the record holds whole entries, the files are untouched, and the next grade works."""
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    before = belongings(workspace)
    began = time.monotonic()
    assert start_cli("grade", "tiny/mean", cwd=workspace.root).end().code == 0
    whole = time.monotonic() - began
    for moment in range(1, 8):
        running = start_cli("grade", "tiny/mean", cwd=workspace.root)
        time.sleep(whole * moment / 8)  # a moment of the grade; which one it turns out to be does not matter
        running.send(signal.SIGKILL, group=False)
        outcome = running.end()
        assert outcome.err == ""
        before.kept_in(workspace)
        before = belongings(workspace)
    assert run_here("grade", "tiny/mean", cwd=workspace.root).code == 0
    attempts = entries_of(workspace)
    assert attempts[-1].solved
    assert len(attempts) <= 9
