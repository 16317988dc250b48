"""Folders of grades that were killed: each is held by a lock while its grade lives, and removed by a later one."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from pathlib import Path

from deepfield_cli.locks import is_held
from deepfield_cli.sandbox.clearing import remove_tree

PREFIX = "deepfield-"
_LOCK = "alive"
# Younger folders are left alone: one that has just been made is not held yet.
_LEAST_AGE_SECONDS = 60.0


def make_held_folder() -> tuple[Path, int]:
    """A new private folder, and the lock that says it is in use; closing the lock, or ending, gives it up."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def remove_leftovers() -> None:
    """Remove our own folders whose grade has ended without doing so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            seen = folder.lstat()
            if (
                seen.st_uid == os.geteuid()
                and time.time() - seen.st_mtime > _LEAST_AGE_SECONDS
                and not is_held(folder / _LOCK)
            ):
                remove_tree(folder)
        except OSError:  # not ours to read, not one of these folders, or gone meanwhile
            continue
