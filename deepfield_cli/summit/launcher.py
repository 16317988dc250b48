"""Runs a command behind the walls: ``python -I -m deepfield_cli.summit.launcher WISH``, with a JSON document.

This process stays outside and watches: when the command ends, or whoever asked for it does, everything that it started
ends too. The walls are those of a worker, but for one: a command may start processes, since that is what commands do.
None of them can leave the group of the first.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from deepfield_cli.sandbox.confinement import confine

_PR_SET_PDEATHSIG = 1
CANNOT_START = 127


def main(text: str) -> None:
    """Start the command, wait for it, leave nothing of it, and tell how it ended."""
    wish = json.loads(text)
    _end_with_parent(signal.SIGTERM)
    if os.getppid() != wish["asked_by"]:
        os._exit(CANNOT_START)
    # nobody may end this process between its child's first moment and the order to end the child with it
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    child = os.fork()
    if child == 0:
        _become(wish)
    signal.signal(signal.SIGTERM, lambda number, frame: _give_up(child, number, frame))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    # looked at before it is taken away: until then its number belongs to nobody else
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    _end_group(child)
    _, status = os.waitpid(child, 0)
    _tell(wish["told"], {"status": os.waitstatus_to_exitcode(status)})


def _become(wish: dict[str, Any]) -> None:
    """Confine this process, tell by what, and become the command."""
    try:
        os.setsid()
        _end_with_parent(signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        folder, scratch = Path(wish["folder"]), Path(wish["scratch"])
        isolation = confine(folder, scratch, wish["limits"], wish["hidden"], wish["readable"])
        _tell(wish["told"], {"isolation": isolation})
        os.chdir(folder)
        os.set_inheritable(wish["told"], False)
        os.execvpe(wish["command"][0], wish["command"], wish["environment"])
    except OSError as error:
        sys.stderr.write(f"{wish['command'][0]}: {error.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(CANNOT_START)


def _end_with_parent(number: int) -> None:
    """Whoever kills the grader ends the command with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _give_up(child: int, number: int, frame: FrameType | None) -> None:
    _end_group(child)
    os._exit(CANNOT_START)


def _end_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)


def _tell(descriptor: int, news: dict[str, Any]) -> None:
    os.write(descriptor, json.dumps(news).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
