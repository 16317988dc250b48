"""How far the author's tools are: a moving line on a terminal, a plain line now and then elsewhere; always stderr."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from deepfield_cli.render.console import foreign, make_error_console

# Without a terminal, a line at the beginning and the end of each part, and one each so many seconds between.
_SECONDS_BETWEEN_LINES = 30.0


class AuthoringProgress:
    """Shows parts of the work, one after the other, each with its count and the time that it will still take."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or make_error_console()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said = 0.0

    def __enter__(self) -> AuthoringProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, part: str, done: int, total: int) -> None:
        """So many of so many are done."""
        if not self._console.is_terminal:
            self._say(part, done, total)
            return
        if part not in self._tasks:
            for task in self._tasks.values():
                self._bar.update(task, visible=False)
            self._tasks[part] = self._bar.add_task(part, total=total)
        self._bar.update(self._tasks[part], completed=done)

    def _say(self, part: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done in (0, total) or now - self._said > _SECONDS_BETWEEN_LINES:
            self._said = now
            self._console.print(foreign(f"{part}: {done} of {total}"))
