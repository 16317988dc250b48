"""Checks ticking as they finish: a live list in a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.session import Listener
from deepfield_cli.render.console import foreign

STYLES = {
    "passed": "good",
    "failed": "bad",
    "skipped": "quiet",
    "errored": "warn",
    "running": "accent",
    "waiting": "quiet",
}
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–", "errored": "!", "waiting": "·"}
_PLAIN_MARKS = {"passed": "ok", "failed": "FAIL", "skipped": "skip", "errored": "ERROR", "waiting": "."}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAMES_PER_SECOND = 12


def mark(console: Console, outcome: str) -> Text:
    """The sign of an outcome: words where the terminal cannot show signs."""
    marks = _MARKS if can_show_signs(console) else _PLAIN_MARKS
    return Text(marks[outcome], style=STYLES[outcome])


def can_show_signs(console: Console) -> bool:
    """Whether the output's encoding has more than ASCII."""
    return "utf" in (console.encoding or "").lower()


class LiveChecks:
    """A context in which a grade is shown as it goes."""

    def __init__(self, console: Console, problem: str, rung: str) -> None:
        self._console = console
        self._title = f"{problem} · {rung}" if can_show_signs(console) else f"{problem} - {rung}"
        self._checks: list[str] = []
        self._running: dict[str, float] = {}
        self._results: dict[str, CheckResult] = {}
        self._started = time.monotonic()
        self._live: Live | None = None

    def listener(self) -> Listener:
        """What to hand to the grade."""
        return Listener(on_plan=self._plan, on_start=self._start, on_finish=self._finish)

    def __enter__(self) -> LiveChecks:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._view,
                console=self._console,
                refresh_per_second=_FRAMES_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._console.print(foreign(self._title))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def _plan(self, checks: Sequence[Check]) -> None:
        self._checks = [check.name for check in checks]

    def _start(self, check: Check) -> None:
        self._running[check.name] = time.monotonic()

    def _finish(self, result: CheckResult) -> None:
        self._running.pop(result.name, None)
        self._results[result.name] = result
        if self._live is None:
            self._print_line(result)

    def _print_line(self, result: CheckResult) -> None:
        line = Text("  ")
        sign = mark(self._console, result.outcome)
        sign.pad_right(max(5 - len(sign), 1))
        line.append_text(sign).append(f" {result.name}  {result.seconds:.2f} s")
        if result.cause is not None and result.cause.diagnosis:
            line.append(f"  {result.cause.diagnosis}")
        self._console.print(line, soft_wrap=True)

    def _view(self) -> Any:
        elapsed = time.monotonic() - self._started
        table = Table.grid(padding=(0, 1))
        table.add_column(width=3, justify="right")
        table.add_column(overflow="ellipsis", no_wrap=True, min_width=28)
        table.add_column(justify="right", width=8)
        table.add_column(overflow="ellipsis", no_wrap=True)
        for name in self._checks:
            table.add_row(*self._row(name))
        head = Text.assemble((self._title, "strong"), (f"  {elapsed:.1f} s", "quiet"))
        whole = Table.grid()
        whole.add_row(head)
        whole.add_row(table)
        return whole

    def _row(self, name: str) -> tuple[Text, Text, Text, Text]:
        result = self._results.get(name)
        if result is not None:
            diagnosis = (result.cause.diagnosis if result.cause else None) or ""
            style = "quiet" if result.outcome == "skipped" else ""
            seconds = Text(f"{result.seconds:.2f} s" if result.seconds else "", "quiet")
            return mark(self._console, result.outcome), Text(name, style), seconds, foreign(diagnosis, "bad")
        if name in self._running:
            since = time.monotonic() - self._running[name]
            frame = _SPINNER[int(since * _FRAMES_PER_SECOND) % len(_SPINNER)] if can_show_signs(self._console) else "*"
            return Text(frame, "accent"), Text(name), Text(f"{since:.1f} s", "quiet"), Text("")
        return mark(self._console, "waiting"), Text(name, "quiet"), Text(""), Text("")
