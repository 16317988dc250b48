"""A grade by itself: it survives its terminal, is looked at from another one, and its verdict waits for you."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepfield_cli.journey.workspace import Workspace
from tests import processes
from tests.cli.conftest import RunHere, Start, entries_of
from tests.cli.long_runs import DESCENT, HALF_WAY, LAPTOP, RESUME, TRAINS, WAITS, WAITS_AND_FAILS, Training
from tests.cli.terminal import CTRL_C, Terminal
from tests.conftest import MakeWorkspace, RunCli, cli_command

UNDER_WAY = """tiny/descent laptop is under way by itself, up to 15 min.
You may close this terminal: deepfield attach shows it, and its verdict later.
"""


@pytest.fixture
def waiting(make_workspace: MakeWorkspace) -> Workspace:
    """A workspace whose training waits half way."""
    return make_workspace(DESCENT, WAITS)


@pytest.fixture
def training(waiting: Workspace) -> Iterator[Training]:
    made = Training(waiting)
    yield made
    pid = made.folder.process()
    if pid is not None:  # the test has failed
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def detached(run_cli: RunCli, waiting: Workspace, training: Training) -> Workspace:
    """A workspace with a grade on its own, half way."""
    finished = run_cli(*LAPTOP, "--detach", cwd=waiting.root)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == UNDER_WAY
    training.wait_half_way()
    return waiting


def test_it_is_there_when_the_command_returns(run_cli: RunCli, waiting: Workspace, training: Training) -> None:
    finished = run_cli(*LAPTOP, "--detach", "--json", cwd=waiting.root)
    assert finished.returncode == 0
    assert training.folder.is_under_way()
    document = json.loads(finished.stdout)
    assert document == {
        "schema_version": 1,
        "problem": DESCENT,
        "rung": "laptop",
        "under_way": True,
        "log": str(training.folder.log),
    }
    process = training.folder.process()
    assert process is not None
    assert os.getsid(process) == process
    assert os.readlink(f"/proc/{process}/fd/0") == os.devnull
    assert Path(document["log"]).read_text().startswith("tiny/descent · laptop  up to 15 min\n")
    training.wait_half_way()
    training.let_on()
    assert run_cli("attach", cwd=waiting.root).returncode == 0


def test_it_survives_the_closing_of_its_terminal(waiting: Workspace, training: Training, run_here: RunHere) -> None:
    """A shell in a terminal starts it; the terminal closes, which ends the shell and all that it started."""
    command = " ".join([*cli_command(*LAPTOP, "--detach"), "; sleep 600"])
    with Terminal() as terminal:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", command], cwd=waiting.root, start_new_session=True, **terminal.options
        )
        terminal.wait_for(lambda text: "You may close this terminal" in text)
        training.wait_half_way()
    assert shell.wait() == -signal.SIGHUP
    assert training.folder.is_under_way()
    training.let_on()
    outcome = run_here("attach", cwd=waiting.root)
    assert outcome.code == 0
    assert "✓ solved: tiny/descent laptop  2 of 2 checks passed" in outcome.out
    assert [entry.solved for entry in entries_of(waiting)] == [True]


def test_without_detach_the_terminal_takes_it_along_and_resume_brings_it_back(
    start_cli: Start, waiting: Workspace, training: Training, run_here: RunHere
) -> None:
    with Terminal() as terminal:
        running = start_cli(*LAPTOP, cwd=waiting.root, **terminal.options)
        terminal.wait_for(lambda text: "step 40 of 100" in text)
    assert running.end().code == -signal.SIGHUP
    assert training.folder.has_training()
    training.let_on()
    assert run_here(*LAPTOP, "--resume", cwd=waiting.root).code == 0


def test_attach_shows_it_as_it_goes_and_its_verdict_at_the_end(
    start_cli: Start, detached: Workspace, training: Training
) -> None:
    with Terminal() as terminal:
        looking = start_cli("attach", cwd=detached.root, **terminal.options)
        shown = terminal.wait_for(lambda text: "step 40 of 100" in text and "⠉" in text)
        training.let_on()
        shown = terminal.wait_for(lambda text: "isolation" in text)
        assert looking.end().code == 0
    for words in ("up to 15 min", "stays_at_the_minimum", "reaches_the_minimum", "40%", "solved"):
        assert words in shown


def test_attach_to_a_grade_in_another_terminal(
    start_cli: Start, run_here: RunHere, waiting: Workspace, training: Training
) -> None:
    """It need not be detached. Without a terminal here it is lines."""
    with Terminal() as terminal:
        running = start_cli(*LAPTOP, cwd=waiting.root, **terminal.options)
        terminal.wait_for(lambda text: "step 40 of 100" in text)
        looking = start_cli("attach", DESCENT, "--rung", "laptop", cwd=waiting.root)
        assert looking.process.stdout is not None
        assert looking.process.stdout.readline() == "tiny/descent · laptop  up to 15 min\n"
        assert re.fullmatch(r"  ✓     stays_at_the_minimum  \d+\.\d\d s\n", looking.process.stdout.readline())
        training.let_on()
        terminal.wait_for(lambda text: "enjoy" in text)
        terminal.press(b"\r")
        outcome = looking.end()
        assert running.end().code == 0
    assert (outcome.code, outcome.err) == (0, "")
    assert "reaches_the_minimum" in outcome.out
    assert "✓ solved: tiny/descent laptop" in outcome.out


def test_attach_ends_as_the_grade_does(start_cli: Start, run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(DESCENT, WAITS_AND_FAILS)
    training = Training(workspace)
    running = start_cli(*LAPTOP, "--json", cwd=workspace.root)
    training.wait_half_way()
    looking = start_cli("attach", "--json", cwd=workspace.root)
    training.let_on()
    graded, looked = running.end(), looking.end()
    assert (graded.code, looked.code) == (1, 1)
    assert json.loads(graded.out) == json.loads(looked.out)
    afterwards = run_here("attach", cwd=workspace.root)
    assert afterwards.code == 1
    assert afterwards.out.startswith("tiny/descent laptop ended just now, attempt ")
    assert "✗ reaches_the_minimum" in afterwards.out


def test_ctrl_c_leaves_it_running(start_cli: Start, detached: Workspace, training: Training) -> None:
    with Terminal() as terminal:
        looking = start_cli("attach", cwd=detached.root, **terminal.options)
        terminal.wait_for(lambda text: "step 40 of 100" in text)
        terminal.press(CTRL_C)
        assert looking.end().code == 130
        assert terminal.settings() == terminal.settings_before
        assert "the grade goes on" in terminal.shown()
    assert training.folder.is_under_way()
    training.let_on()
    assert start_cli("attach", cwd=detached.root).end().code == 0


def test_stop_ends_it_and_it_can_go_on(detached: Workspace, training: Training, run_here: RunHere) -> None:
    outcome = run_here("attach", "--stop", cwd=detached.root)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"The grade of tiny/descent laptop was interrupted.\nWhat was trained is kept: {RESUME} goes on\n"
    )
    assert not training.folder.is_under_way()
    attached = run_here("attach", cwd=detached.root)
    words = f"the grade of tiny/descent laptop ended without a verdict: interrupted — {RESUME} goes on"
    assert (attached.code, attached.complaint) == (2, words)
    again = run_here("attach", "--stop", cwd=detached.root)
    assert (again.code, again.complaint) == (2, "no long grade is under way")
    training.let_on()
    assert run_here(*LAPTOP, "--resume", "--detach", cwd=detached.root).code == 0
    assert run_here("attach", cwd=detached.root).code == 0
    assert [entry.solved for entry in entries_of(detached)] == [True]


def test_a_grade_that_is_killed_under_whoever_looks(start_cli: Start, detached: Workspace, training: Training) -> None:
    looking = start_cli("attach", cwd=detached.root)
    assert looking.process.stdout is not None
    assert "up to" in looking.process.stdout.readline()
    process = training.folder.process()
    assert process is not None
    os.kill(process, signal.SIGKILL)
    outcome = looking.end()
    assert (outcome.code, outcome.complaint) == (
        2,
        f"the grade of tiny/descent laptop ended without a verdict — {RESUME} goes on",
    )


def test_whoever_looks_sees_the_next_sitting_too(
    start_cli: Start, run_here: RunHere, detached: Workspace, training: Training
) -> None:
    assert run_here("attach", "--stop", cwd=detached.root).code == 0
    assert run_here(*LAPTOP, "--resume", "--detach", cwd=detached.root).code == 0
    looking = start_cli("attach", cwd=detached.root)
    training.wait_half_way(2)
    assert training.began_at() == [0, HALF_WAY]
    training.let_on()
    assert looking.end().code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--data", "x=y"), '--data: unknown name "x"'),
        (("--only", "reaches_the_minimun"), 'there is no check "reaches_the_minimun" — did you mean'),
    ],
)
def test_what_cannot_begin_says_so_as_if_it_ran_here(
    run_here: RunHere, make_workspace: MakeWorkspace, options: tuple[str, ...], words: str
) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    outcome = run_here(*LAPTOP, *options, "--detach", cwd=workspace.root)
    assert outcome.code == 2
    assert outcome.complaint.startswith(words)
    assert Training(workspace).left() == set()


def test_a_rung_that_takes_seconds_is_not_worth_it(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    outcome = run_here("grade", DESCENT, "--detach", cwd=make_workspace(DESCENT, TRAINS).root)
    assert (outcome.code, outcome.complaint) == (2, "--detach: core takes seconds — name a --rung that takes longer")


def test_all_has_nothing_to_detach(run_here: RunHere, make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    root = make_workspace(DESCENT, TRAINS).root
    for option in ("--detach", "--resume", "--fresh"):
        assert run_here("grade", DESCENT, "--all", str(tmp_path), option, cwd=root).code == 2


def test_nothing_under_way(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    outcome = run_here("attach", cwd=make_workspace(DESCENT, TRAINS).root)
    words = "no long grade is under way — deepfield grade PROBLEM --rung laptop --detach begins one"
    assert (outcome.code, outcome.complaint) == (2, words)


def test_no_process_is_left_over() -> None:
    """What a detached grade started ends with it, though nobody was there any more."""
    assert processes.wait_until_gone() == []
    assert sys.platform != "linux" or processes.marked_processes() == []
