"""Reading and writing files in a folder that the learner's code may write: no link of its making is followed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from deepfield_cli.errors import SandboxError

# A checkpoint of the largest model that a rung asks for, in float32, with room.
MAXIMUM_READ_BYTES = 1 << 30
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# A pipe that the learner made in place of the file must not hold the grader up.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


def write_file(scratch: Path, name: str, content: bytes) -> str:
    """Write ``scratch/name``, making the folders between; return its absolute path.

    Raises:
        SandboxError: the name leads out of the folder, something of the learner's is in the way, or the disk is full.

    """
    *folders, last = _parts(name)
    try:
        with _opened(scratch, folders, make=True) as folder:
            descriptor = os.open(last, _WRITE, 0o600, dir_fd=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
    except OSError as error:
        raise SandboxError(f"{name} cannot be written for the submission: {error.strerror}") from error
    return str(scratch / name)


def read_file(scratch: Path, name: str, *, offset: int = 0, maximum_bytes: int = MAXIMUM_READ_BYTES) -> bytes | None:
    """What a plain file holds from ``offset`` on, at most so many bytes; None where there is none."""
    *folders, last = _parts(name)
    try:
        with _opened(scratch, folders, make=False) as folder:
            descriptor = os.open(last, _READ, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return None
                file.seek(offset)
                return file.read(maximum_bytes)
    except OSError:
        return None


@contextlib.contextmanager
def _opened(scratch: Path, folders: list[str], *, make: bool) -> Iterator[int]:
    descriptor = os.open(scratch, _FOLDER)
    try:
        for name in folders:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=descriptor)
            below = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise SandboxError(f'"{name}" is no name of a file in the scratch folder')
    return parts
