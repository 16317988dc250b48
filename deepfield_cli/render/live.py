"""Checks ticking as they finish: a live list in a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deepfield_cli.grading.long_run import Progress
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.journey.session import Listener
from deepfield_cli.render.console import foreign

if TYPE_CHECKING:
    from deepfield_cli.render.training import Training

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
# A training has better use for the processor than twelve pictures a second of itself.
_FRAMES_PER_SECOND, _FRAMES_PER_SECOND_OF_A_LONG_GRADE = 12, 4
_INDENT = 4
# Where there is no picture: a line of progress no more often than this.
_PLAIN_SECONDS = 10.0


def mark(console: Console, outcome: str) -> Text:
    """The sign of an outcome: words where the terminal cannot show signs."""
    marks = _MARKS if can_show_signs(console) else _PLAIN_MARKS
    return Text(marks[outcome], style=STYLES[outcome])


def can_show_signs(console: Console) -> bool:
    """Whether the output's encoding has more than ASCII."""
    return "utf" in (console.encoding or "").lower()


@dataclass(frozen=True, slots=True)
class Finished:
    """How a check ended."""

    outcome: str
    seconds: float
    diagnosis: str = ""


class LiveChecks:
    """A context in which a grade is shown as it goes; may be told what happens from several threads.

    Args:
        console: where.
        problem: the problem's id.
        rung: the rung.
        cost: what a long grade may take, in words; empty for a short one.

    """

    def __init__(self, console: Console, problem: str, rung: str, cost: str = "") -> None:
        self._console = console
        self._title = f"{problem} · {rung}" if can_show_signs(console) else f"{problem} - {rung}"
        self._cost = cost
        self._lock = threading.Lock()
        self._live: Live | None = None
        self.begin()

    def listener(self) -> Listener:
        """What to hand to the grade."""
        return Listener(
            on_plan=lambda checks: self.plan([check.name for check in checks]),
            on_start=lambda check: self.start(check.name),
            on_finish=self._finish,
            on_progress=self._progress,
        )

    def __enter__(self) -> LiveChecks:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._view,
                console=self._console,
                refresh_per_second=_FRAMES_PER_SECOND_OF_A_LONG_GRADE if self._cost else _FRAMES_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._console.print(foreign(f"{self._title}  {self._cost}".rstrip()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, seconds_ago: float = 0.0) -> None:
        """A grade begins; nothing of an earlier one stays."""
        with self._lock:
            self._checks: list[str] = []
            self._running: dict[str, float] = {}
            self._finished: dict[str, Finished] = {}
            self._trainings: dict[str, Training] = {}
            self._told: dict[str, float] = {}
            self._started = time.monotonic() - seconds_ago

    def plan(self, checks: Sequence[str]) -> None:
        """These checks will be run."""
        self._checks = list(checks)

    def start(self, check: str, seconds_ago: float = 0.0) -> None:
        """A check begins."""
        with self._lock:
            self._running[check] = time.monotonic() - seconds_ago

    def finish(self, check: str, finished: Finished) -> None:
        """A check has ended."""
        with self._lock:
            self._running.pop(check, None)
            self._trainings.pop(check, None)
            self._finished[check] = finished
        if self._live is None:
            self._print_line(check, finished)

    def progress(
        self,
        check: str,
        points: Sequence[tuple[int, Mapping[str, float]]],
        total: int | None,
        seconds_ago: float = 0.0,
    ) -> None:
        """A check is on its way. Without a terminal older news than a line would be is not printed any more."""
        from deepfield_cli.render.training import Training

        at = time.monotonic() - seconds_ago
        with self._lock:
            training = self._trainings.setdefault(check, Training())
            training.add(points, total, at)
            is_due = at - self._told.get(check, float("-inf")) >= _PLAIN_SECONDS and seconds_ago < _PLAIN_SECONDS
            if self._live is None and is_due:
                self._told[check] = at
                words = training.words(self._console, at).append("  ").append_text(training.numbers())
                self._console.print(Text(f"  ...   {check}  ").append_text(words), soft_wrap=True)

    def _finish(self, result: CheckResult) -> None:
        diagnosis = (result.cause.diagnosis if result.cause else None) or ""
        self.finish(result.name, Finished(result.outcome, result.seconds, diagnosis))

    def _progress(self, progress: Progress) -> None:
        self.progress(progress.check, [(progress.step, progress.values)], progress.total)

    def _print_line(self, check: str, finished: Finished) -> None:
        line = Text("  ")
        sign = mark(self._console, finished.outcome)
        sign.pad_right(max(5 - len(sign), 1))
        line.append_text(sign).append(f" {check}  {finished.seconds:.2f} s")
        if finished.diagnosis:
            line.append(f"  {finished.diagnosis}")
        self._console.print(line, soft_wrap=True)

    def _view(self) -> Any:
        with self._lock:
            now = time.monotonic()
            head = Text.assemble((self._title, "strong"), (f"  {now - self._started:.1f} s", "quiet"))
            if self._cost:
                head.append(f"  {self._cost}", "quiet")
            return Group(head, *self._body(now))

    def _body(self, now: float) -> Sequence[Any]:
        """The list of checks, and a picture below each one that tells how far it is."""
        parts: list[Any] = []
        table = self._table()
        rows = self._console.height - len(self._checks) - 2
        for name in self._checks:
            table.add_row(*self._row(name, now))
            training = self._trainings.get(name)
            if training is not None:
                lines = training.view(
                    self._console, now, width=self._console.width - _INDENT, rows=rows // len(self._trainings)
                )
                parts += [table, *(Text(" " * _INDENT).append_text(line) for line in lines)]
                table = self._table()
        return [*parts, table] if table.row_count else parts

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=3, justify="right")
        width = max((len(name) for name in self._checks), default=0)
        table.add_column(overflow="ellipsis", no_wrap=True, min_width=min(max(width, 28), self._console.width // 2))
        table.add_column(justify="right", width=8)
        table.add_column(overflow="ellipsis", no_wrap=True)
        return table

    def _row(self, name: str, now: float) -> tuple[Text, Text, Text, Text]:
        finished = self._finished.get(name)
        if finished is not None:
            style = "quiet" if finished.outcome == "skipped" else ""
            seconds = Text(f"{finished.seconds:.2f} s" if finished.seconds else "", "quiet")
            return (
                mark(self._console, finished.outcome),
                foreign(name, style),
                seconds,
                foreign(finished.diagnosis, "bad"),
            )
        if name in self._running:
            since = now - self._running[name]
            frame = _SPINNER[int(since * _FRAMES_PER_SECOND) % len(_SPINNER)] if can_show_signs(self._console) else "*"
            return Text(frame, "accent"), foreign(name), Text(f"{since:.1f} s", "quiet"), Text("")
        return mark(self._console, "waiting"), foreign(name, "quiet"), Text(""), Text("")
