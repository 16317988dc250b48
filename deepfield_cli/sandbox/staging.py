"""What is graded: the learner's files read once, by content, and laid out again in a private folder."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError

# A submission is source code and small data: the largest honest one so far is under 100 kB.
MAXIMUM_FILES = 500
MAXIMUM_BYTES = 32 << 20
MAXIMUM_DEPTH = 8
_PASSED_OVER = {
    "__pycache__",
    "node_modules",
    ".git",
    ".venv",
    "venv",
    ".deepfield",
    ".ipynb_checkpoints",
    ".idea",
    ".vscode",
}


@dataclass(frozen=True)
class SubmissionFiles:
    """The files of one submission, by relative path, and one digest over all of them."""

    files: Mapping[str, bytes]
    digest: str

    def write_to(self, folder: Path) -> None:
        """Lay the files out in an empty folder."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def read_submission(source: Path, entry: str) -> SubmissionFiles:
    """Read a folder, or one file that stands for the entry.

    Links, devices and other special files are left out; too many or too large files raise WorkspaceError.
    """
    if not source.exists():
        raise WorkspaceError("there is no submission here", where=str(source), fix="deepfield start lays out the files")
    files = _read_folder(source) if source.is_dir() else {entry: source.read_bytes()}
    return submission_files(files)


def submission_files(files: Mapping[str, bytes]) -> SubmissionFiles:
    """Files that are in memory already, with their digest."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(files[name]).digest())
    return SubmissionFiles(dict(sorted(files.items())), digest.hexdigest())


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for path in _regular_files(folder, 0):
        content = path.read_bytes()
        total += len(content)
        files[path.relative_to(folder).as_posix()] = content
        if len(files) > MAXIMUM_FILES or total > MAXIMUM_BYTES:
            raise WorkspaceError(
                f"the submission is too large: at most {MAXIMUM_FILES} files and {MAXIMUM_BYTES >> 20} MB",
                where=str(folder),
                fix="keep data and checkpoints outside the problem's folder",
            )
    return files


def _regular_files(folder: Path, depth: int) -> list[Path]:
    if depth > MAXIMUM_DEPTH:
        return []
    found: list[Path] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise WorkspaceError(
            f"cannot be read: {error.strerror}", where=str(folder), fix="check its permissions"
        ) from error
    for entry in entries:
        mode = entry.stat(follow_symlinks=False).st_mode
        if entry.name in _PASSED_OVER or entry.name.endswith((".pyc", "~", ".swp")):
            continue
        if stat.S_ISDIR(mode):
            found += _regular_files(Path(entry.path), depth + 1)
        elif stat.S_ISREG(mode):
            found.append(Path(entry.path))
    return found
