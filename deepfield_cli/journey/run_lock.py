"""Whether a long grade is under way: a lock that its process holds, and that the kernel gives up when it ends.

A number of a process would not do: after a power cut, or a week, another process may have it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.locks import is_held

# Whoever only looks holds the lock for some microseconds: a grade that begins just then tries again.
_TRIES, _PAUSE_SECONDS = 40, 0.005
_LONGEST_NUMBER = 20


def take_lock(path: Path) -> int | None:
    """Hold the lock and leave this process's number in it; None if another process holds it.

    The folder is made if need be. The lock is given up by closing what is returned, or by ending.

    Raises:
        WorkspaceError: the folder cannot be written, or its file system knows no locks.

    """
    try:
        for _ in range(_TRIES):
            descriptor = _try_to_take(path)
            if descriptor is not None:
                return descriptor
            time.sleep(_PAUSE_SECONDS)
    except OSError as error:
        raise WorkspaceError(
            f"cannot keep a run: {error.strerror}", where=str(path.parent), fix="check space and permissions"
        ) from error
    return None


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        return is_held(path)
    except OSError:
        return False


def locked_by(path: Path) -> int | None:
    """The number of the process that holds the lock."""
    if not is_locked(path):
        return None
    text = path.read_bytes()[:_LONGEST_NUMBER]
    return int(text) if text.isdigit() else None


def _try_to_take(path: Path) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still_there(path, descriptor):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Whether the file that is locked is the one in the folder: a run that ended meanwhile has removed its own."""
    try:
        named, held = os.stat(path), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
