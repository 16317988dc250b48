"""The lock of a long grade, and its folder: what stays, what goes, and that no two hold it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.run_lock import is_locked, locked_by, take_lock
from deepfield_cli.journey.run_note import Ending, RunNote
from deepfield_cli.journey.runs import RunFolder, remove_half_removed, run_folder, run_folders
from deepfield_cli.journey.workspace import Workspace

HOLDS = """
import sys, time
from pathlib import Path
from deepfield_cli.journey.run_lock import take_lock
held = take_lock(Path(sys.argv[1]))
print("held" if held is not None else "refused", flush=True)
sys.stdin.read()
"""
NOTE = RunNote(
    problem="tiny/descent", rung="laptop", seed=3, submission_digest="a", suite_digest="b", started_at="2026-11-23"
)


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock as long as its input is open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], number: signal.Signals | None = None) -> None:
    if number is not None:
        process.send_signal(number)
    process.communicate()


@pytest.fixture
def folder(workspace: Workspace) -> RunFolder:
    return run_folder(workspace, "tiny/descent", "laptop")


@pytest.mark.parametrize("number", [None, signal.SIGKILL], ids=["ended", "killed"])
def test_the_lock_lasts_as_long_as_its_process(folder: RunFolder, number: signal.Signals | None) -> None:
    assert (is_locked(folder.lock), locked_by(folder.lock)) == (False, None)
    process = holder(folder.lock)
    assert take_lock(folder.lock) is None
    assert (folder.is_under_way(), folder.process()) == (True, process.pid)
    end(process, number)
    assert (folder.is_under_way(), folder.process()) == (False, None)
    held = take_lock(folder.lock)
    assert held is not None
    assert folder.process() == os.getpid()
    os.close(held)


def test_looking_at_the_lock_keeps_nobody_from_taking_it(folder: RunFolder) -> None:
    os.close(take_lock(folder.lock) or 0)
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            is_locked(folder.lock)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(100):
            held = take_lock(folder.lock)
            assert held is not None
            os.close(held)
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_a_lock_that_was_removed_holds_nobody_up_and_protects_nothing(folder: RunFolder) -> None:
    """Between the opening and the locking of the file, the run that held it may remove it with its folder."""
    first = take_lock(folder.lock)
    assert first is not None
    folder.remove()
    assert not folder.is_under_way()
    second = take_lock(folder.lock)
    assert second is not None
    assert os.fstat(second).st_ino == os.stat(folder.lock).st_ino
    os.close(first)
    assert folder.is_under_way()
    os.close(second)


def test_a_folder_that_cannot_be_made(workspace: Workspace, folder: RunFolder) -> None:
    (workspace.private / "runs").write_text("in the way")
    with pytest.raises(WorkspaceError, match="cannot keep a run"):
        take_lock(folder.lock)


def test_training_is_what_a_check_has_left(folder: RunFolder) -> None:
    assert not folder.has_training()
    check = folder.checks / "trains"
    check.mkdir(parents=True)
    assert not folder.has_training()
    (check / "checkpoint").touch()
    assert folder.has_training()


def test_what_is_kept_is_read_as_it_was_written(folder: RunFolder) -> None:
    folder.checks.mkdir(parents=True)
    ending = Ending(problem="tiny/descent", rung="laptop", exit_code=1, entry=12)
    folder.write_note(NOTE)
    folder.write_ending(ending)
    folder.write_spent(12.34)
    assert (folder.note(), folder.ending(), folder.spent_seconds()) == (NOTE, ending, 12.3)
    assert {path.name for path in folder.place.iterdir()} == {"checks", "run.json", "spent"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seed": 1}', "\0"])
def test_what_is_no_note_is_none(folder: RunFolder, text: str) -> None:
    folder.checks.mkdir(parents=True)
    for name in ("run.json", "spent"):
        (folder.place / name).write_text(text)
    assert (folder.note(), folder.spent_seconds()) == (None, 0.0)


def test_to_begin_leaves_nothing_of_an_earlier_run_but_the_lock(folder: RunFolder) -> None:
    held = take_lock(folder.lock)
    assert held is not None
    (folder.checks / "trains/deep").mkdir(parents=True)
    folder.write_note(NOTE)
    folder.write_spent(1.0)
    folder.write_ending(Ending(problem="tiny/descent", rung="laptop", exit_code=3, entry=1))
    folder.log.touch()
    folder.events.touch()
    folder.begin()
    assert [path.name for path in folder.place.iterdir()] == ["lock"]
    assert [path.name for path in folder.place.parent.iterdir()] == [folder.place.name]
    os.close(held)


def test_every_place_is_found_by_what_is_left_of_it(workspace: Workspace) -> None:
    assert run_folders(workspace) == []
    runs = workspace.private / "runs"
    (runs / "llm-gpt2-paper").mkdir(parents=True)
    (runs / "tiny-descent-laptop.ended").touch()
    (runs / "tiny-descent-laptop.log").touch()
    (runs / ".gone-0").mkdir()
    (runs / ".llm-bpe-paper-0.log").touch()
    assert [one.place.name for one in run_folders(workspace)] == ["llm-gpt2-paper", "tiny-descent-laptop"]
    remove_half_removed(workspace)
    assert not (runs / ".gone-0").exists()
