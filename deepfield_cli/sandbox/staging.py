"""What is graded: the learner's files read once, by content, and laid out again in a private folder."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.sandbox.passing_over import is_passed_over

# A submission is source code and small data: the largest honest one so far is under 100 kB.
MAXIMUM_FILES = 500
MAXIMUM_BYTES = 32 << 20
MAXIMUM_DEPTH = 8
# Entries of one folder, links and passed-over ones included, before it is given up.
_MAXIMUM_ENTRIES = 5000


@dataclass(frozen=True)
class SubmissionFiles:
    """The files of one submission, by relative path, and one digest over all of them."""

    files: Mapping[str, bytes]
    digest: str

    def write_to(self, folder: Path) -> None:
        """Lay the files out in an empty folder; raise WorkspaceError for a name that leads out of it."""
        for name, content in self.files.items():
            path = folder / _inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def read_submission(source: Path, entry: str) -> SubmissionFiles:
    """Read a folder, or one file that stands for the entry.

    Links, devices and other special files are left out; too many or too large files raise WorkspaceError.
    """
    if not source.exists():
        raise WorkspaceError("there is no submission here", where=str(source), fix="deepfield start lays out the files")
    files = _read_folder(source) if source.is_dir() else {entry: _read_file(source, MAXIMUM_BYTES)}
    return submission_files(files)


def submission_files(files: Mapping[str, bytes]) -> SubmissionFiles:
    """Files that are in memory already, with their digest."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(files[name]).digest())
    return SubmissionFiles(dict(sorted(files.items())), digest.hexdigest())


def _inside(name: str) -> str:
    """The name, if it stays below the folder: a record may come from somewhere else than this program."""
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise WorkspaceError("a file of the submission has a name that leads out of it", where=ascii(name))
    return name


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for path in _regular_files(folder, 0):
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():  # bytes that are no UTF-8, line ends, escape sequences: no record could hold them
            raise WorkspaceError("a file has a name that cannot be printed", where=ascii(str(path)), fix="rename it")
        if len(files) == MAXIMUM_FILES:
            raise _too_large(folder)
        files[name] = _read_file(path, MAXIMUM_BYTES - total, folder)
        total += len(files[name])
    return files


def _read_file(path: Path, room: int, folder: Path | None = None) -> bytes:
    """Read a file, never more than there is room for: a sparse file of a terabyte takes no room on the disk."""
    try:
        # a pipe would be waited for without O_NONBLOCK; a file of a folder is not followed if it became a link
        follow = os.O_NOFOLLOW if folder is not None else 0
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | follow)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise WorkspaceError("not a file", where=ascii(str(path)), fix="point at a Python file or a folder")
            content = file.read(room + 1)
    except OSError as error:
        raise WorkspaceError(
            f"cannot be read: {error.strerror}", where=str(path), fix="check its permissions"
        ) from error
    if len(content) > room:
        raise _too_large(folder or path)
    return content


def _too_large(where: Path) -> WorkspaceError:
    return WorkspaceError(
        f"the submission is too large: at most {MAXIMUM_FILES} files and {MAXIMUM_BYTES >> 20} MB",
        where=str(where),
        fix="keep data and checkpoints outside the problem's folder",
    )


def _regular_files(folder: Path, depth: int) -> Iterator[Path]:
    """Files in order of name, one folder after the other; a folder of a million is given up without being listed."""
    if depth > MAXIMUM_DEPTH:
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(itertools.islice(listing, _MAXIMUM_ENTRIES + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise WorkspaceError(
            f"cannot be read: {error.strerror}", where=str(folder), fix="check its permissions"
        ) from error
    if len(entries) > _MAXIMUM_ENTRIES:
        raise _too_large(folder)
    for entry in entries:
        if is_passed_over(entry.name):
            continue
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:  # an editor's passing file
            continue
        if stat.S_ISDIR(mode):
            yield from _regular_files(Path(entry.path), depth + 1)
        elif stat.S_ISREG(mode):
            yield Path(entry.path)
