"""Looking at a long grade from another terminal: while it runs, and at its verdict when it has ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deepfield_cli.content.problem import RUNGS
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.detaching import complaint_in
from deepfield_cli.journey.run_events import Event, EventReader
from deepfield_cli.journey.run_note import Ending, RunNote
from deepfield_cli.journey.runs import RunFolder, run_folder, run_folders
from deepfield_cli.journey.sitting import resume_command
from deepfield_cli.journey.workspace import Workspace, choose_problem, problem_at

_LOOK_SECONDS = 0.2
# A run that has just begun is locked before it is described.
_NOTE_SECONDS = 5.0


def find_run(workspace: Workspace, problem: str | None, rung: str | None) -> RunFolder:
    """The long grade that is meant: the one under way, else the one that was last.

    Raises:
        WorkspaceError: there is none, or there are several under way.

    """
    folders = _candidates(workspace, problem, rung)
    running = [folder for folder in folders if folder.is_under_way()]
    if len(running) > 1:
        here = problem_at(workspace, Path.cwd())
        running = _of_problem(workspace, running, here.id if here else None) or running
    if len(running) > 1:
        names = ", ".join(f"{note.problem} {note.rung}" for note in map(note_of, running))
        raise WorkspaceError(f"several grades are under way: {names}", fix="name the problem, and its --rung")
    past = sorted((folder for folder in folders if folder.last_seen()), key=RunFolder.last_seen)
    if not running and not past:
        raise WorkspaceError(
            "no long grade is under way", fix="deepfield grade PROBLEM --rung laptop --detach begins one"
        )
    return (running or past)[-1]


def note_of(folder: RunFolder) -> RunNote:
    """What is graded in a folder in which something is under way or was interrupted."""
    deadline = time.monotonic() + _NOTE_SECONDS
    while (note := folder.note()) is None:
        if not folder.is_under_way() or time.monotonic() > deadline:
            raise WorkspaceError(
                "what was interrupted cannot be read", where=str(folder.place), fix="grade with --fresh drops it"
            )
        time.sleep(_LOOK_SECONDS)
    return note


def follow(folder: RunFolder, on_event: Callable[[Event], None]) -> Ending | None:
    """Tell what happens until the grade ends; return how, or None if it ended without a verdict."""
    reader = EventReader(folder.events)
    try:
        while True:
            is_under_way = folder.is_under_way()  # asked first: what is written before it ends is read below
            for event in reader.read():
                if event.ending is not None:
                    return event.ending
                on_event(event)
            if not is_under_way:
                return folder.ending()
            time.sleep(_LOOK_SECONDS)
    finally:
        reader.close()


def stop(folder: RunFolder) -> None:
    """Interrupt a grade as Ctrl-C would, and wait until it has ended."""
    process = folder.process()
    if process is None:
        raise WorkspaceError("no long grade is under way")
    os.kill(process, signal.SIGINT)
    while folder.process() == process:
        time.sleep(_LOOK_SECONDS)


def result_of(workspace: Workspace, ending: Ending) -> dict[str, Any]:
    """The verdict as the record has it; a run of some checks only is in no record."""
    if ending.entry is None:
        return dict(ending.result or {})
    with workspace.record() as ledger:
        return ledger.payload(ledger.entry(ending.entry))


def without_verdict(folder: RunFolder, note: RunNote) -> WorkspaceError:
    """What to say of a grade that ended without a verdict: why, as far as it is known, and how to go on."""
    try:
        reason = complaint_in(folder.log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        reason = None
    what = f"the grade of {note.problem} {note.rung} ended without a verdict"
    begin = f"deepfield grade {note.problem} --rung {note.rung} begins again"
    go_on = f"{resume_command(note.problem, note.rung)} goes on"
    if reason:  # less its own advice
        what = f"{what}: {reason.partition(' — ')[0]}"
    return WorkspaceError(what, fix=go_on if folder.has_training() else begin)


def _candidates(workspace: Workspace, problem: str | None, rung: str | None) -> Sequence[RunFolder]:
    folders = list(run_folders(workspace))
    if problem is not None:
        folders = _of_problem(workspace, folders, choose_problem(workspace, problem).id)
    return [folder for folder in folders if rung is None or folder.place.name.endswith(f"-{rung}")]


def _of_problem(workspace: Workspace, folders: Sequence[RunFolder], problem: str | None) -> list[RunFolder]:
    if problem is None:
        return []
    own = [run_folder(workspace, problem, rung) for rung in RUNGS]
    return [folder for folder in folders if folder in own]
