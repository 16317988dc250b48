"""Finding the processes that tests started, whatever became of their parents: each inherits a mark in its PATH."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

# The sandbox hands only a few variables down; PATH is one of them, and a folder that does not exist does no harm.
_MARK = f"/nonexistent/deepfield-tests-{os.getpid()}-{secrets.token_hex(8)}"
_HAS_PROC = Path("/proc/self/environ").exists()


@dataclass(frozen=True)
class Found:
    """A running process: its number, its command line, and its state with its parent's number."""

    pid: int
    command: str
    state: str = ""


def mark_descendants() -> None:
    """Leave the mark in this process's environment, for all that it starts from now on."""
    if _MARK not in os.environ.get("PATH", ""):
        os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{_MARK}"


def marked_processes(extra_mark: str = "") -> list[Found]:
    """The marked processes that run now, less this one; ``extra_mark`` narrows the search to some of them."""
    if not _HAS_PROC:
        return []
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [found for pid in numbers if pid != os.getpid() and (found := _marked(pid, extra_mark)) is not None]


def wait_until_gone(extra_mark: str = "", *, patience_seconds: float = 60.0) -> list[Found]:
    """Wait for the marked processes to end; return those that did not."""
    deadline = time.monotonic() + patience_seconds
    while (found := marked_processes(extra_mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def end(found: list[Found]) -> None:
    """Kill processes by their numbers."""
    for process in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)


def _marked(pid: int, extra_mark: str) -> Found | None:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile, or belongs to somebody else
        return None
    if _MARK.encode() not in environment or extra_mark.encode() not in environment:
        return None
    return Found(pid, command.replace(b"\0", b" ").decode("utf-8", "replace").strip(), f"{status[0]} of {status[1]}")
