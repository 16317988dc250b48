"""Restoring: the files of an earlier attempt, laid beside the learner's and never over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.attempts import find_attempt, restore_files
from deepfield_cli.journey.workspace import Workspace


@dataclass(frozen=True)
class Restored:
    """Where an attempt's files are now."""

    number: int
    problem: str
    folder: Path
    files: tuple[str, ...]


def restore_attempt(workspace: Workspace, number: int) -> Restored:
    """Write the files of an attempt into a new folder beside the problem's."""
    with workspace.record() as ledger:
        entry = find_attempt(ledger, number)
        files = ledger.files(entry)
    if not files:
        raise WorkspaceError(f"no files were kept with attempt {number}", fix="deepfield history lists the others")
    folder = restore_files(workspace, entry, files)
    return Restored(number, entry.problem or "", folder, tuple(sorted(files)))
