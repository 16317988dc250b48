"""A terminal for a command: what it shows, keys that are pressed, and the settings that it is left in."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from tests.conftest import PATIENCE_SECONDS

CTRL_C = b"\x03"


class Terminal:
    """A pseudo-terminal of 100 columns; ``options`` start a process that has it as its controlling terminal."""

    def __init__(self, columns: int = 100, lines: int = 50) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.settings_before = termios.tcgetattr(self._theirs)
        self._shown = bytearray()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def options(self) -> dict[str, Any]:
        """What to hand to Popen, beside ``start_new_session``."""
        device = self._theirs

        def take_terminal() -> None:
            fcntl.ioctl(device, termios.TIOCSCTTY, 0)

        return {"stdin": device, "stdout": device, "stderr": device, "preexec_fn": take_terminal}

    def press(self, keys: bytes) -> None:
        """Type something."""
        os.write(self._ours, keys)

    def shown(self) -> str:
        """Everything that was shown so far."""
        while select.select([self._ours], [], [], 0.02)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._ours, 65536)
                self._shown += data
                if data:
                    continue
            break
        return self._shown.decode("utf-8", "replace")

    def wait_for(self, condition: Callable[[str], bool]) -> str:
        """Wait until what was shown fulfils a condition; return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(text := self.shown()):
            assert time.monotonic() < deadline, text
        return text

    def settings(self) -> list[Any]:
        """The settings as they are now."""
        return termios.tcgetattr(self._theirs)
