"""Files that are there with all their content or not at all: filled beside their place, then moved in one step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How the name of a file ends that was not finished; what a killed process left beside its place is known by it.
ENDING = ".new"
# What others may do with it, less what the umask takes away; 0o600 is for what nobody else should read.
_ORDINARY = 0o666


@contextmanager
def whole_file(path: Path, *, lasting: bool = False, mode: int = _ORDINARY) -> Iterator[Path]:
    """A new, empty file beside ``path``, for the block to fill: it takes that place when the block ends.

    Nothing of it stays if anything fails on the way, and what was there before is untouched then. Several processes
    may do so at once: the last one's file stands. ``lasting``: on the disk, come what may, when this returns.

    Raises:
        OSError: it cannot be made, or not moved.

    """
    # not mkstemp: its files are closed to others, whatever the umask, and a cache may be shared
    fresh = path.with_name(f".{path.name}-{os.urandom(8).hex()}{ENDING}")
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    try:
        yield fresh
        if lasting:
            settle(fresh)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    if lasting:
        settle(path.parent)


def write_whole(path: Path, content: bytes, *, lasting: bool = False) -> None:
    """Replace a small file in one step, so that no reader ever meets half of it; raise OSError."""
    with whole_file(path, lasting=lasting) as fresh:
        fresh.write_bytes(content)


def settle(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
