"""Starting the warm process with as few imports as can be: this runs before anything else of a command does."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence

_PASSED_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
)
# One thread each: no library may start threads before the fork, and bit-for-bit results need one order of sums.
# A long rung gets more of them, and they wait for each other asleep: beside other work, two threads that wait awake did
# 3 training steps a second, and 60 to 78 this way.
_FIXED_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/nonexistent",
}


def spawn_zygote(modules: Sequence[str], settings: Mapping[str, str] | None = None) -> tuple[int, socket.socket]:
    """Start a process that imports ``modules``; return its number and our end of its control socket.

    Args:
        modules: what it imports, in order.
        settings: environment variables that those modules read when they are imported.

    """
    kind = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_STREAM
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    theirs.set_inheritable(True)
    environment = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
    environment |= _FIXED_ENVIRONMENT | dict(settings or {})
    command = [sys.executable, "-I", "-m", "deepfield_cli.sandbox.zygote", str(theirs.fileno()), ",".join(modules)]
    process = os.posix_spawn(sys.executable, command, environment, setsid=True)
    theirs.close()
    return process, ours
