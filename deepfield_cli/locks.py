"""Whether a file is locked: a lock of the kernel says that a living process is at work, however the last one ended."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

# No link is followed, and what is no file does not keep the one that looks waiting.
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_held(path: Path) -> bool:
    """Whether a living process holds this file's lock alone; who looks shares it for some microseconds.

    Raises:
        OSError: there is no such file, it cannot be read, or its file system knows no locks.

    """
    descriptor = os.open(path, _LOOK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
