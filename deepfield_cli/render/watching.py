"""What ``watch`` shows: one screen with the last verdict, and the run that is on its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.grade import Grade
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.session import Listener, Session
from deepfield_cli.render.console import escaped, foreign
from deepfield_cli.render.verdict import show_checks, show_verdict

_CLEAR_LINE = "\r\x1b[2K"
_SHOW_AFTER_SECONDS = 0.25


class WatchView:
    """Prints each verdict; in a terminal on a cleared screen, with a run in progress as one line below the last one."""

    def __init__(self, console: Console, session: Session) -> None:
        self._console = console
        self._session = session
        self._lock = threading.Lock()
        self._planned = 0
        self._done: list[CheckResult] = []
        self._began = time.monotonic()
        self._runs = 0

    def begin(self, saved_at: float) -> Listener:
        """A grade begins."""
        self._done = []
        self._began = time.monotonic()
        return Listener(on_plan=self._plan, on_finish=self._finish)

    def verdict(self, outcome: Grade, seconds_since_save: float) -> None:
        """Show a verdict in place of the last one."""
        with self._lock:
            self._runs += 1
            if self._console.is_terminal:
                self._console.clear()
            result = outcome.result
            clock = datetime.now().strftime("%H:%M:%S")
            since = (
                f"{seconds_since_save * 1000:.0f} ms after the save" if self._runs > 1 else f"{result.seconds:.1f} s"
            )
            self._console.print(f"[strong]{result.problem}[/] · {result.rung}  [quiet]{clock}, {since}[/]")
            show_checks(self._console, result.checks)
            show_verdict(self._console, result, folder=self._session.workspace.shown(self._session.folder))
            self._console.print("watching; Ctrl-C ends", style="quiet")

    def overtaken(self) -> None:
        """Say nothing: the newer run is what counts."""

    def problem(self, error: DeepfieldError) -> None:
        """Say in one line why there is no grade just now."""
        with self._lock:
            self._wipe()
            self._console.print(foreign(str(error), "warn"))

    def farewell(self) -> None:
        """End politely."""
        with self._lock:
            self._wipe()
            self._console.print(f"{self._runs} runs; each is in deepfield history", style="quiet")

    def _plan(self, checks: Sequence[Check]) -> None:
        self._planned = len(checks)

    def _finish(self, result: CheckResult) -> None:
        self._done.append(result)
        if self._console.is_terminal and time.monotonic() - self._began > _SHOW_AFTER_SECONDS:
            failed = sum(check.outcome == "failed" for check in self._done)
            text = f"{len(self._done)}/{self._planned} checks" + (f", {failed} failed" if failed else "")
            self._status(f"  running: {text}  {escaped(result.name)}")

    def _status(self, text: str) -> None:
        with self._lock:
            self._console.file.write(_CLEAR_LINE + text[: self._console.width - 1])
            self._console.file.flush()

    def _wipe(self) -> None:
        if self._console.is_terminal:
            self._console.file.write(_CLEAR_LINE)
