"""Removing a folder that the learner's code has written to, whatever it looks like."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: Path) -> None:
    """Delete a folder and all below it; what cannot be deleted is left.

    shutil.rmtree recurses, and a thousand folders within each other are made in a moment; paths may be longer than the
    kernel takes, and folders may have no rights. So this walks with one open folder at a time, each opened from the one
    above it or below it, never by a path and never through a link.
    """
    with contextlib.suppress(OSError):
        _empty(os.open(folder, _FOLDER))
        os.rmdir(folder)


class _Level:
    """A folder on the way down: its name in the one above, and the folders in it that are still to be emptied."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self.identity = _identity(descriptor)
        self.folders = [entry for entry in os.listdir(descriptor) if not _unlinked(descriptor, entry)]


def _empty(here: int) -> None:
    """Delete everything below an open folder, and close it."""
    try:
        levels = [_Level("", here)]
        while True:
            if levels[-1].folders:
                name = levels[-1].folders.pop()
                below = _opened(here, name)
                if below is not None:
                    os.close(here)
                    here = below
                    levels.append(_Level(name, here))
                continue
            emptied = levels.pop()
            if not levels:
                return
            above = os.open("..", _FOLDER, dir_fd=here)
            os.close(here)
            here = above
            if _identity(here) != levels[-1].identity:  # moved meanwhile: this is not ours to delete in
                return
            with contextlib.suppress(OSError):
                os.rmdir(emptied.name, dir_fd=here)
    finally:
        os.close(here)


def _identity(descriptor: int) -> tuple[int, int]:
    facts = os.fstat(descriptor)
    return facts.st_dev, facts.st_ino


def _unlinked(parent: int, name: str) -> bool:
    """Delete what is no folder; False for a folder."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            return False
        os.unlink(name, dir_fd=parent)
    return True


def _opened(parent: int, name: str) -> int | None:
    """A folder, with rights given back to it where they were taken; None if that cannot be done."""
    with contextlib.suppress(OSError):
        os.chmod(name, 0o700, dir_fd=parent)
        return os.open(name, _FOLDER, dir_fd=parent)
    return None
