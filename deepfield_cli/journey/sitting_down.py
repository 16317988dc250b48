"""Beginning a long grade, or taking up the one that was interrupted; never dropping it unasked."""

from __future__ import annotations

import os

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.data_files import found_data
from deepfield_cli.grading.grade import draw_seed
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.run_lock import take_lock
from deepfield_cli.journey.run_note import RunNote
from deepfield_cli.journey.runs import RunFolder, remove_half_removed, run_folder, run_folders
from deepfield_cli.journey.session import Wish
from deepfield_cli.journey.sitting import Sitting, resume_command, under_way
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.staging import SubmissionFiles

# With less than this left nothing can be finished.
_LEAST_SECONDS = 1.0


def sit_down(workspace: Workspace, location: ProblemLocation, wish: Wish, files: SubmissionFiles) -> Sitting:
    """Begin a long grade, or go on with the one that was interrupted.

    Raises:
        WorkspaceError: one is under way; one was interrupted and it is not said what to do with it; there is none to
            go on with, or not with these files.

    """
    folder = run_folder(workspace, location.id, wish.rung)
    remove_half_removed(workspace)
    lock = take_lock(folder.lock)
    if lock is None:
        raise under_way(location.id, wish.rung)
    try:
        return _sitting(workspace, location, wish, files, folder, lock)
    except BaseException:
        if not folder.has_training():
            folder.remove()
        os.close(lock)
        raise


def _sitting(
    workspace: Workspace,
    location: ProblemLocation,
    wish: Wish,
    files: SubmissionFiles,
    folder: RunFolder,
    lock: int,
) -> Sitting:
    asked = _note(location, wish, files)
    if wish.resume:
        kept = _interrupted(workspace, folder, asked)
        _require_same(kept, asked, wish)
        note = kept.model_copy(update={"sittings": kept.sittings + 1})
        folder.go_on()
    elif folder.has_training() and not wish.fresh:
        raise _undecided(folder, asked)
    else:
        note = asked
        found_data(location.load(), wish.rung, wish.data)  # nothing is dropped for a run that cannot begin
        folder.begin()
    budget, spent = location.load().rungs[wish.rung].seconds, folder.spent_seconds()
    if budget - spent < _LEAST_SECONDS:
        raise WorkspaceError(f"the run has used up its {budget:g} s", fix="--fresh begins again")
    folder.write_note(note)
    folder.checks.mkdir(exist_ok=True)
    return Sitting(folder, note, files, budget, spent, lock)


def nothing_to_resume(workspace: Workspace, problem: str, rung: str) -> WorkspaceError:
    """What to say where no run was interrupted; perhaps another rung was meant."""
    notes = [folder.note() for folder in run_folders(workspace) if folder.has_training()]
    rungs = [note.rung for note in notes if note is not None and note.problem == problem]
    fix = f"{resume_command(problem, rungs[0])} goes on" if rungs else "without --resume it begins one"
    return WorkspaceError(f"there is no interrupted run of {problem} at {rung}", fix=fix)


def _note(location: ProblemLocation, wish: Wish, files: SubmissionFiles) -> RunNote:
    return RunNote(
        problem=location.id,
        rung=wish.rung,
        seed=draw_seed() if wish.seed is None else wish.seed,
        submission_digest=files.digest,
        suite_digest=location.suite_digest(),
        only=wish.only,
        data={name: str(path.absolute()) for name, path in wish.data.items()},
        started_at=now().isoformat(timespec="seconds"),
    )


def _interrupted(workspace: Workspace, folder: RunFolder, asked: RunNote) -> RunNote:
    if not folder.has_training():
        raise nothing_to_resume(workspace, asked.problem, asked.rung)
    note = folder.note()
    if note is None:
        raise WorkspaceError(
            "what was interrupted cannot be read", where=str(folder.place), fix="--fresh drops it and begins again"
        )
    return note


def _require_same(kept: RunNote, asked: RunNote, wish: Wish) -> None:
    """The same files and checks; options that are given again must say the same."""
    if kept.submission_digest != asked.submission_digest:
        raise WorkspaceError(
            "your files have changed since the run was interrupted",
            fix="put them back, or --fresh drops it and begins again",
        )
    if kept.suite_digest != asked.suite_digest:
        raise WorkspaceError(
            "the checks have changed since the run was interrupted", fix="--fresh drops it and begins again"
        )
    other = {
        "--seed": wish.seed is not None and kept.seed != asked.seed,
        "--only": bool(wish.only) and set(kept.only) != set(asked.only),
        "--data": bool(wish.data) and kept.data != asked.data,
    }
    for option in (name for name, is_other in other.items() if is_other):
        raise WorkspaceError(f"the interrupted run has another {option}", fix=f"leave {option} out: it is kept")


def _undecided(folder: RunFolder, asked: RunNote) -> WorkspaceError:
    kept = folder.note()
    what = f"a run of {asked.problem} at {asked.rung} was interrupted"
    if kept is not None and kept.submission_digest == asked.submission_digest:
        return WorkspaceError(what, fix="--resume goes on with it, --fresh drops it and begins again")
    return WorkspaceError(
        f"{what}, and your files have changed since",
        fix="--fresh drops it and begins again; --resume goes on once they are as they were",
    )
