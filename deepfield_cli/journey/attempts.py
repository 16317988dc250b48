"""Attempts: a grade becomes an entry of the ledger, and can be found, compared and graded again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

if TYPE_CHECKING:
    from deepfield_cli.grading.grade import Grade


def record_grade(workspace: Workspace, grade: Grade) -> Entry | None:
    """Append a grade to the ledger; a run of some checks only is no verdict and is not recorded.

    A fault of the grader is recorded as a fault: it has no score and counts as no attempt.
    """
    result = grade.result
    if result.partial:
        return None
    kind = "fault" if result.score is None else "attempt"
    with workspace.ledger() as ledger:
        return ledger.append(
            kind,
            result.model_dump(mode="json"),
            problem=result.problem,
            rung=result.rung,
            solved=result.solved if kind == "attempt" else None,
            score=result.score,
            files=grade.files.files,
            at=now(),
        )


def find_attempt(ledger: Ledger, number: int | None, location: ProblemLocation | None = None) -> Entry:
    """The attempt with this number, or the newest one of a problem."""
    if number is None:
        entries = ledger.entries(kind="attempt", problem=location.id if location else None, limit=1)
        if not entries:
            raise WorkspaceError(
                "no attempt yet", where=location.id if location else None, fix="deepfield grade makes one"
            )
        return entries[0]
    entry = ledger.entry(number)
    if entry.kind not in ("attempt", "fault"):
        raise WorkspaceError(
            f"entry {number} is a {entry.kind}, not an attempt", fix="deepfield history lists attempts"
        )
    return entry


def hints_shown(workspace: Workspace, problem_id: str) -> int:
    """How many different hints of a problem have been shown."""
    if not workspace.has_record():
        return 0
    with workspace.record() as ledger:
        numbers = {ledger.payload(entry).get("hint") for entry in ledger.entries(kind="hint", problem=problem_id)}
    return len(numbers)


def is_solved(workspace: Workspace, problem_id: str, rung: str = "core") -> bool:
    """Whether a rung of a problem was ever solved here."""
    if not workspace.has_record():
        return False
    with workspace.record() as ledger:
        rows = ledger.progress()
    return any(row.problem == problem_id and row.rung == rung and row.solved for row in rows)


def restore_files(workspace: Workspace, entry: Entry, files: dict[str, bytes]) -> Path:
    """Write an attempt's files beside the learner's, never over them; return the new folder."""
    base = workspace.folder(entry.problem or "unknown")
    folder = base.with_name(f"{base.name}.attempt-{entry.id}")
    number = 2
    while folder.exists():
        folder = base.with_name(f"{base.name}.attempt-{entry.id}-{number}")
        number += 1
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write: {error.strerror}", where=str(folder), fix="check space and permissions"
        ) from error
    return folder
