"""A long rung: interrupted in every way there is, it goes on where it stood, and nothing of it is dropped unasked."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.journey.workspace import Workspace
from tests.cli.conftest import RunHere, Start, belongings, entries_of, outcome_of
from tests.cli.long_runs import (
    DESCENT,
    HALF_WAY,
    LAPTOP,
    RESUME,
    TRAINS,
    WAITS,
    WAITS_AND_FAILS,
    Training,
    newest_result,
    wait_for,
)
from tests.cli.terminal import CTRL_C, Terminal
from tests.conftest import TINY_PACK, MakeWorkspace, RunCli


@pytest.fixture
def waiting(make_workspace: MakeWorkspace) -> Workspace:
    """A workspace whose training waits half way."""
    return make_workspace(DESCENT, WAITS)


@pytest.fixture
def training(waiting: Workspace) -> Training:
    return Training(waiting)


@pytest.fixture
def interrupted(start_cli: Start, waiting: Workspace, training: Training) -> Workspace:
    """A workspace whose training was killed half way."""
    running = start_cli(*LAPTOP, "--seed", "7", cwd=waiting.root)
    training.wait_half_way()
    running.send(signal.SIGKILL, group=False)
    running.end()
    return waiting


def long_check(result: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in result["checks"] if check["name"] == "reaches_the_minimum")


def test_a_verdict_keeps_the_curve_and_nothing_else(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    finished = run_cli(*LAPTOP, cwd=workspace.root)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("tiny/descent · laptop  up to 15 min\n")
    result = newest_result(workspace)
    curve = {name: value for name, value in long_check(result)["metrics"].items() if name.startswith("loss@")}
    assert [int(name.partition("@")[2]) for name in curve] == list(range(1, 101))
    assert list(curve.values()) == sorted(curve.values(), reverse=True)
    assert "sittings" not in result["environment"]
    assert Training(workspace).left() == {"tiny-descent-laptop.ended"}


def test_core_keeps_no_folder_and_loads_nothing_for_it(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    script = """
import sys
from deepfield_cli.cli.app import run
code = run(["grade", "tiny/descent"])
names = ("sitting", "sitting_down", "runs", "run_events", "attaching", "detaching", "plot", "training", "curves")
print(code, [name for name in sys.modules if name.startswith("deepfield_cli.") and name.endswith(names)])
"""
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=workspace.root, capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "0 []"
    assert "up to" not in finished.stdout
    assert not (workspace.private / "runs").exists()


def test_ctrl_c_says_how_to_go_on_and_it_does(
    start_cli: Start, run_cli: RunCli, waiting: Workspace, training: Training
) -> None:
    before = belongings(waiting)
    running = start_cli(*LAPTOP, cwd=waiting.root)
    training.wait_half_way()
    running.send(signal.SIGINT)
    outcome = running.end()
    assert (outcome.code, outcome.complaint) == (130, f"interrupted — {RESUME} goes on")
    before.kept_in(waiting)
    assert entries_of(waiting) == []
    kept = training.folder.note()
    assert kept is not None

    training.let_on()
    finished = run_cli(*LAPTOP, "--resume", "--json", cwd=waiting.root)
    assert finished.returncode == 0, finished.stdout
    result = json.loads(finished.stdout)
    assert (result["seed"], result["submission_digest"]) == (kept.seed, kept.submission_digest)
    assert result["environment"]["sittings"] == "2"
    assert long_check(result)["metrics"]["was_resumed"] == 1.0
    assert {"loss@1", "loss@40", "loss@41", "loss@100"} <= set(long_check(result)["metrics"])
    assert newest_result(waiting) == result
    assert training.left() == {"tiny-descent-laptop.ended"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_grade_that_is_killed_goes_on_where_it_stood(
    start_cli: Start, waiting: Workspace, training: Training, number: signal.Signals
) -> None:
    running = start_cli(*LAPTOP, cwd=waiting.root)
    training.wait_half_way()
    running.send(number, group=False)
    assert running.end().code == -number  # and no process of it is left
    assert entries_of(waiting) == []
    again = start_cli(*LAPTOP, "--resume", cwd=waiting.root)
    training.wait_half_way(2)
    assert training.began_at() == [0, HALF_WAY]
    training.let_on()
    assert again.end().code == 0
    assert [entry.solved for entry in entries_of(waiting)] == [True]


@pytest.mark.slow
def test_killed_again_and_again(start_cli: Start, waiting: Workspace, training: Training) -> None:
    """Whatever it was doing when it was killed: the next sitting goes on, and the record holds whole entries."""
    options: tuple[str, ...] = ()
    for sitting in range(1, 5):
        running = start_cli(*LAPTOP, *options, cwd=waiting.root)
        training.wait_half_way(sitting)
        running.send(signal.SIGKILL, group=False)
        running.end()
        options = ("--resume",)
    training.let_on()
    assert start_cli(*LAPTOP, "--resume", cwd=waiting.root).end().code == 0
    assert newest_result(waiting)["environment"]["sittings"] == "5"


def test_training_is_never_dropped_unasked(interrupted: Workspace, training: Training, run_here: RunHere) -> None:
    for command in (LAPTOP, (*LAPTOP, "--json"), (*LAPTOP, "--detach")):
        outcome = run_here(*command, cwd=interrupted.root)
        assert outcome.code == 2
        assert outcome.complaint == (
            "a run of tiny/descent at laptop was interrupted — "
            "--resume goes on with it, --fresh drops it and begins again"
        )
    assert training.told_steps()[-1] == HALF_WAY


def test_core_and_other_problems_are_graded_as_ever(interrupted: Workspace, run_here: RunHere) -> None:
    assert run_here("grade", DESCENT, cwd=interrupted.root).code == 0


def test_fresh_begins_again(interrupted: Workspace, training: Training, start_cli: Start) -> None:
    running = start_cli(*LAPTOP, "--fresh", cwd=interrupted.root)
    wait_for(lambda: (note := training.folder.note()) is not None and note.seed != 7)
    training.wait_half_way()
    note = training.folder.note()
    assert note is not None
    assert note.sittings == 1
    assert training.began_at() == [0]
    training.let_on()
    assert running.end().code == 0


def test_fresh_drops_nothing_for_a_run_that_cannot_begin(
    interrupted: Workspace, training: Training, run_here: RunHere
) -> None:
    assert run_here(*LAPTOP, "--fresh", "--data", "x=y", cwd=interrupted.root).code == 2
    assert training.told_steps()[-1] == HALF_WAY


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--seed", "8"), "the interrupted run has another --seed — leave --seed out: it is kept"),
        (("--only", "reaches_the_minimum"), "the interrupted run has another --only — leave --only out: it is kept"),
        (("--fresh",), "--resume goes on with a run, and --fresh drops it — choose one of them"),
    ],
)
def test_a_run_goes_on_only_as_it_was(
    interrupted: Workspace, run_here: RunHere, options: tuple[str, ...], words: str
) -> None:
    outcome = run_here(*LAPTOP, "--resume", *options, cwd=interrupted.root)
    assert (outcome.code, outcome.complaint) == (2, words)


def test_the_same_command_line_with_resume_added(interrupted: Workspace, training: Training, run_cli: RunCli) -> None:
    training.let_on()
    assert run_cli(*LAPTOP, "--seed", "7", "--resume", cwd=interrupted.root).returncode == 0


def test_other_files_cannot_take_the_training_over(
    interrupted: Workspace, training: Training, run_here: RunHere
) -> None:
    entry = interrupted.folder(DESCENT) / "descent.py"
    entry.write_text(WAITS + "\n# better\n")
    outcome = run_here(*LAPTOP, "--resume", cwd=interrupted.root)
    assert (outcome.code, outcome.complaint) == (
        2,
        "your files have changed since the run was interrupted — put them back, or --fresh drops it and begins again",
    )
    undecided = run_here(*LAPTOP, cwd=interrupted.root)
    assert undecided.code == 2
    assert "your files have changed since" in undecided.complaint
    assert "--fresh" in undecided.complaint
    assert "--resume" in undecided.complaint
    entry.write_text(WAITS)
    training.let_on()
    assert run_here(*LAPTOP, "--resume", cwd=interrupted.root).code == 0


def test_other_checks_cannot_take_the_training_over(
    interrupted: Workspace, run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(TINY_PACK, pack)
    with open(pack / "graders/tiny/descent/suite.py", "a", encoding="utf-8") as suite:
        suite.write("\n# stricter\n")
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    outcome = run_here(*LAPTOP, "--resume", cwd=interrupted.root)
    assert outcome.code == 2
    assert outcome.complaint.startswith("the checks have changed since the run was interrupted — --fresh")


def test_the_budget_is_that_of_all_sittings(interrupted: Workspace, training: Training, run_here: RunHere) -> None:
    training.folder.write_spent(899.5)
    outcome = run_here(*LAPTOP, "--resume", cwd=interrupted.root)
    assert (outcome.code, outcome.complaint) == (2, "the run has used up its 900 s — --fresh begins again")
    training.folder.write_spent(300.0)
    training.let_on()
    resumed = run_here(*LAPTOP, "--resume", cwd=interrupted.root)
    assert resumed.code == 0
    assert resumed.out.startswith("tiny/descent · laptop  up to 10 min more of its 15 min\n")


def test_nothing_to_resume(make_workspace: MakeWorkspace, run_here: RunHere) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    for rung in ("core", "laptop"):
        outcome = run_here("grade", DESCENT, "--rung", rung, "--resume", cwd=workspace.root)
        words = f"there is no interrupted run of tiny/descent at {rung} — without --resume it begins one"
        assert (outcome.code, outcome.complaint) == (2, words)
    assert run_here(*LAPTOP, cwd=workspace.root).code == 0


def test_resume_names_the_rung_that_was_meant(interrupted: Workspace, run_here: RunHere) -> None:
    outcome = run_here("grade", DESCENT, "--resume", cwd=interrupted.root)
    assert outcome.complaint == f"there is no interrupted run of tiny/descent at core — {RESUME} goes on"


def test_a_note_that_cannot_be_read(interrupted: Workspace, training: Training, run_here: RunHere) -> None:
    (training.folder.place / "run.json").write_text('{"problem": ')
    outcome = run_here(*LAPTOP, "--resume", cwd=interrupted.root)
    assert outcome.code == 2
    assert "what was interrupted cannot be read — --fresh drops it" in outcome.complaint
    attached = run_here("attach", cwd=interrupted.root)
    assert (attached.code, "--fresh" in attached.complaint) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_before_anything_was_trained_leaves_nothing_to_decide(
    start_cli: Start, make_workspace: MakeWorkspace, run_here: RunHere, number: signal.Signals
) -> None:
    stuck = "import time\n\n\ndef train(target, steps):\n    time.sleep(600)\n"
    workspace = make_workspace(DESCENT, stuck)
    running = start_cli(*LAPTOP, "--only", "stays_at_the_minimum", cwd=workspace.root)
    running.wait_for_workers(1)
    running.send(number, group=False)
    outcome = running.end()
    if number == signal.SIGINT:
        assert outcome.complaint == "interrupted"
        assert Training(workspace).left() == set()
    (workspace.folder(DESCENT) / "descent.py").write_text(TRAINS)
    assert run_here(*LAPTOP, cwd=workspace.root).code == 0


def test_a_second_grade_is_told_of_the_first(
    start_cli: Start, waiting: Workspace, training: Training, run_here: RunHere
) -> None:
    running = start_cli(*LAPTOP, cwd=waiting.root)
    training.wait_half_way()
    for options in ((), ("--resume",), ("--fresh",), ("--detach",)):
        outcome = run_here(*LAPTOP, *options, cwd=waiting.root)
        assert outcome.code == 2
        assert outcome.complaint == "a grade of tiny/descent laptop is under way — deepfield attach shows it"
    training.let_on()
    assert running.end().code == 0


def test_a_run_of_one_check_can_be_interrupted_too(
    start_cli: Start, run_here: RunHere, waiting: Workspace, training: Training
) -> None:
    running = start_cli(*LAPTOP, "--only", "reaches_the_minimum", cwd=waiting.root)
    training.wait_half_way()
    running.send(signal.SIGKILL, group=False)
    running.end()
    training.let_on()
    outcome = run_here(*LAPTOP, "--resume", cwd=waiting.root)
    assert outcome.code == 0
    assert "partial run  1 of 1 checks passed" in outcome.out
    assert entries_of(waiting) == []
    shown = run_here("attach", cwd=waiting.root)
    assert (shown.code, "partial run  1 of 1 checks passed" in shown.out) == (0, True)


def test_a_fault_of_ours_costs_no_training(
    start_cli: Start, run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_workspace: MakeWorkspace
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(TINY_PACK, pack)
    suite = pack / "graders/tiny/descent/suite.py"
    suite.write_text(suite.read_text().replace("    return {", "    raise KeyError\n    return {"))
    workspace = make_workspace(DESCENT, TRAINS)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    outcome = run_here(*LAPTOP, cwd=workspace.root)
    assert outcome.code == 3
    assert outcome.out.endswith(f"What was trained is kept: {RESUME} goes on\n")
    assert Training(workspace).told_steps()[-1] == 100
    attached = run_here("attach", cwd=workspace.root)
    assert (attached.code, "no verdict" in attached.out) == (3, True)
    assert attached.out.endswith(f"What was trained is kept: {RESUME} goes on\n")


def test_what_the_learners_code_leaves_is_removed_whatever_it_is(
    run_here: RunHere, make_workspace: MakeWorkspace
) -> None:
    litters = TRAINS.replace(
        "    return weights\n",
        "    os.makedirs('a/' * 50)\n    os.chmod('a/a', 0)\n    os.symlink('/etc', 'link')\n"
        "    os.mkfifo('pipe')\n    return weights\n",
    )
    workspace = make_workspace(DESCENT, litters)
    assert run_here(*LAPTOP, cwd=workspace.root).code == 0
    assert Training(workspace).left() == {"tiny-descent-laptop.ended"}
    assert Path("/etc/passwd").exists()


def test_what_a_killed_removal_left_is_removed_later(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    (workspace.private / "runs/.gone-0123/checks/deep").mkdir(parents=True)
    assert run_here(*LAPTOP, cwd=workspace.root).code == 0
    assert Training(workspace).left() == {"tiny-descent-laptop.ended"}


def test_a_workspace_that_cannot_be_written(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(DESCENT, TRAINS)
    (workspace.private / "runs").write_text("in the way")
    outcome = outcome_of(run_cli(*LAPTOP, cwd=workspace.root))
    assert outcome.code == 2
    assert "cannot keep a run" in outcome.complaint


# In a terminal


@pytest.mark.parametrize(
    ("environment", "plotted"),
    [({}, "⠉"), ({"NO_COLOR": "1"}, "⠉"), ({"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}, "+----")],
    ids=["colours", "no colours", "ascii"],
)
def test_the_live_view_has_steps_and_a_plot(
    start_cli: Start, waiting: Workspace, training: Training, environment: dict[str, str], plotted: str
) -> None:
    with Terminal() as terminal:
        running = start_cli(*LAPTOP, cwd=waiting.root, environment=environment, **terminal.options)
        terminal.wait_for(lambda text: "step 40 of 100" in text and plotted in text)
        terminal.press(CTRL_C)
        assert running.end().code == 130
        assert terminal.settings() == terminal.settings_before
        shown = terminal.shown()
    assert ("\x1b[3" in shown) is not bool(environment.get("NO_COLOR"))
    for words in ("up to 15 min", "40%", "loss ", "stays_at_the_minimum"):
        assert words in shown
    assert "goes on" in shown
    assert shown.isascii() is ("LC_ALL" in environment)


def test_a_small_terminal_has_the_words_and_no_plot(start_cli: Start, make_workspace: MakeWorkspace) -> None:
    waiting = make_workspace(DESCENT, WAITS_AND_FAILS)  # after a pass it would ask how enjoyable it was
    training = Training(waiting)
    with Terminal(columns=60, lines=7) as terminal:
        running = start_cli(*LAPTOP, cwd=waiting.root, environment={"COLUMNS": "60"}, **terminal.options)
        terminal.wait_for(lambda text: "step 40 of 100" in text)
        training.let_on()
        shown = terminal.wait_for(lambda text: "isolation" in text)
        assert running.end().code == 1
    assert "┤" not in shown


def test_progress_without_a_terminal_is_a_line_now_and_then(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    finished = run_cli(*LAPTOP, cwd=make_workspace(DESCENT, TRAINS).root)
    told = [line for line in finished.stdout.splitlines() if line.startswith("  ...   reaches_the_minimum  step ")]
    assert told
    assert "of 100" in told[0]
    assert "loss" in told[0]
