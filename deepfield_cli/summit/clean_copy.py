"""A clean copy of a folder: plain files and nothing else, as a stranger would get it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.sandbox.passing_over import is_passed_over

# A checkpoint of a billion parameters in three seeds, and room beside it.
MOST_BYTES = 32 << 30
MOST_FILES = 20_000
MOST_DEPTH = 16
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: size and SHA-256 by path, and one digest over all of it."""

    sizes: dict[str, int]
    digests: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents."""
        whole = hashlib.sha256()
        for name in sorted(self.digests):
            whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(self.digests[name]))
        return whole.hexdigest()


def copy_folder(source: Path, target: Path) -> Copied:
    """Copy the plain files of a folder, links and caches left out, and take their digests.

    Raises:
        WorkspaceError: it holds too much, or something in it cannot be read.

    """
    copied = Copied({}, {})
    room = MOST_BYTES
    for path in _files(source, 0):
        name = path.relative_to(source).as_posix()
        if len(copied.sizes) == MOST_FILES or not name.isprintable():
            raise WorkspaceError("too many files, or a name that cannot be printed", where=ascii(str(path)))
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copied.sizes[name], copied.digests[name] = _copy(path, place, room)
        room -= copied.sizes[name]
    return copied


def copy_again(clean: Path, target: Path) -> None:
    """Copy a clean copy."""
    shutil.copytree(clean, target)


def _copy(path: Path, place: Path, room: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file, place.open("wb") as output:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise WorkspaceError("not a file", where=str(path))
            while part := file.read(_CHUNK):
                size += len(part)
                if size > room:
                    raise WorkspaceError(f"more than {MOST_BYTES >> 30} GB", where=str(path), fix="keep data elsewhere")
                digest.update(part)
                output.write(part)
        place.chmod(0o700 if facts.st_mode & stat.S_IXUSR else 0o600)
    except OSError as error:
        fix = "check permissions and the space left"
        raise WorkspaceError(f"cannot be copied: {error.strerror}", where=str(path), fix=fix) from error
    return size, digest.hexdigest()


def _files(folder: Path, depth: int) -> Iterator[Path]:
    if depth > MOST_DEPTH:
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise WorkspaceError(f"cannot be read: {error.strerror}", where=str(folder), fix="check the path") from error
    for entry in entries:
        if is_passed_over(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
