"""A grade in a session of its own: no terminal ends it by closing."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from deepfield_cli.errors import DeepfieldError, WorkspaceError
from deepfield_cli.journey.runs import RunFolder
from deepfield_cli.journey.session import Listener

# Where the process that was started says that it is under way.
_ANNOUNCEMENT_DESCRIPTOR = 3
_COMPLAINT = "deepfield: "


class NotStarted(DeepfieldError):
    """The grade ended before it was under way: with its own words and its own exit code."""

    def __init__(self, what: str, exit_code: int) -> None:
        super().__init__(what)
        self.exit_code = exit_code


def detach(folder: RunFolder, arguments: Sequence[str]) -> None:
    """Start a command line in its own session, and return as soon as its first check has begun.

    What it prints goes into a log, whose name is added to the command line.

    Raises:
        NotStarted: it came to its end before that.

    """
    log = folder.place.with_name(f".{folder.place.name}-{secrets.token_hex(8)}.log")
    ours, theirs = os.pipe()
    try:
        process = _start([*arguments, str(log)], log, theirs)
    finally:
        os.close(theirs)
    try:
        is_under_way = bool(os.read(ours, 1))
    except KeyboardInterrupt:
        os.kill(process, signal.SIGINT)
        os.waitpid(process, 0)
        log.unlink(missing_ok=True)
        raise
    finally:
        os.close(ours)
    if is_under_way:
        return
    _, status = os.waitpid(process, 0)
    said = log.read_text(encoding="utf-8", errors="replace")
    log.unlink(missing_ok=True)
    raise NotStarted(complaint_in(said) or said.strip(), _exit_code(status))


def announcing(log: Path, folder: RunFolder) -> Listener:
    """For the process that was started: at its first check the log is the folder's, and the one that waits is told."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    with contextlib.suppress(OSError):
        os.set_inheritable(_ANNOUNCEMENT_DESCRIPTOR, False)
    first = threading.Lock()

    def tell(_: object) -> None:
        if not first.acquire(blocking=False):
            return
        with contextlib.suppress(OSError):
            log.replace(folder.log)
        with contextlib.suppress(OSError):  # nobody waits any more
            os.write(_ANNOUNCEMENT_DESCRIPTOR, b"1")
            os.close(_ANNOUNCEMENT_DESCRIPTOR)

    return Listener(on_start=tell)


def complaint_in(log: str) -> str | None:
    """The last line in which the program said why it ended."""
    found = [line for line in log.splitlines() if line.startswith(_COMPLAINT)]
    return found[-1].removeprefix(_COMPLAINT) if found else None


def _start(arguments: Sequence[str], log: Path, announcement: int) -> int:
    command = [sys.executable, "-P", "-m", "deepfield_cli", *arguments]
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WorkspaceError(
            f"cannot keep a run: {error.strerror}", where=str(log.parent), fix="check space and permissions"
        ) from error
    try:
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
            (os.POSIX_SPAWN_DUP2, announcement, _ANNOUNCEMENT_DESCRIPTOR),
        ]
        return os.posix_spawn(sys.executable, command, os.environ, file_actions=files, setsid=True)
    finally:
        os.close(output)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
