"""How far a download, a check or a conversion is: a moving line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from deepfield_cli.datasets.disk import readable_bytes
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.render.console import foreign, make_error_console

# Without a terminal, a line when a file begins, and one each so many seconds.
_SECONDS_BETWEEN_LINES = 30.0
_WIDEST = 110
Unit = Literal["bytes", "tokens"]


class TransferProgress:
    """A context in which files are shown one after the other; everything goes to standard error."""

    def __init__(self, console: Console | None = None, *, unit: Unit = "bytes") -> None:
        self._console = console or make_error_console()
        self._unit = unit
        self._bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            BarColumn(bar_width=16),
            _Amount(unit),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            expand=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._all: TaskID | None = None
        self._file = self._step = self._counted = ""
        self._size: int | None = None
        self._before = 0
        self._said = time.monotonic()

    def __enter__(self) -> TransferProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def listener(self) -> Listener:
        """What to hand to the library."""
        return Listener(self._plan, self._begin, self._advance, self._name_step, self._note)

    def _plan(self, counted: str, files: int, size: int) -> None:
        """Above the file, where there are several: all of them."""
        self._counted, self._before, self._size = counted, 0, None
        if self._all is not None:
            self._bar.remove_task(self._all)
        self._all = self._bar.add_task(f"{counted} {files} files", total=size) if files > 1 else None

    def _begin(self, name: str, number: int, count: int, size: int | None) -> None:
        of = f"{number} of {count}: " if count > 1 else f"{number}: " if count == 0 else ""
        self._before += self._size or 0
        self._file, self._size = of + name, size
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(self._file, total=size)
        self._count(0)

    def _count(self, done: int) -> None:
        if self._all is not None:
            self._bar.update(self._all, completed=self._before + done)

    def _name_step(self, step: str) -> None:
        self._step = step
        if self._task is not None:
            self._bar.reset(self._task, total=self._size, description=f"{step} {self._file}")
        if not self._console.is_terminal:
            most = "" if self._unit == "bytes" else "up to "
            amount = f", {most}{amount_in(self._unit, self._size)}" if self._size and step != "checking" else ""
            self._note(f"{step} {self._file}{amount}")

    def _advance(self, done: int, total: int | None) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
        if self._step == self._counted:
            self._count(done)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > _SECONDS_BETWEEN_LINES:
            of = f" of {amount_in(self._unit, total)}" if total else ""
            self._note(f"{self._step} {self._file}: {amount_in(self._unit, done)}{of}")

    def _note(self, text: str) -> None:
        self._said = time.monotonic()
        self._bar.console.print(foreign(text, "quiet"))


class _Amount(ProgressColumn):
    """So much of so much, and how much each second."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(table_column=Column(no_wrap=True, justify="right"))
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The amount of one file."""
        total = f" of {amount_in(self._unit, int(task.total))}" if task.total else ""
        speed = f", {amount_in(self._unit, int(task.speed))}/s" if task.speed else ""
        return Text(f"{amount_in(self._unit, int(task.completed))}{total}{speed}", "quiet")


def amount_in(unit: Unit, count: int | None) -> str:
    """An amount as people say it: 200 MB, 1.2 million tokens."""
    if count is None:
        return "?"
    if unit == "bytes":
        return readable_bytes(count)
    return f"{count / 1e6:,.1f} M tokens" if count >= 100_000 else f"{count:,} tokens"
