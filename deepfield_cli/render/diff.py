"""Two attempts side by side: checks that turned, then the lines that changed."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.text import Text

from deepfield_cli.journey.comparison import CheckChange, Comparison, FileChange
from deepfield_cli.journey.past_attempt import PastAttempt
from deepfield_cli.render.console import foreign
from deepfield_cli.render.moments import ago

_LINE_STYLES = {"+": "good", "-": "bad", "@": "accent"}
_OUTCOME_STYLES = {"passed": "good", "failed": "bad", "errored": "warn", "skipped": "quiet", None: "quiet"}


def show_comparison(console: Console, comparison: Comparison, *, now: datetime | None = None) -> None:
    """Print what lies between; lines of files are never wrapped, so that they can be fed to patch."""
    console.print(foreign(comparison.problem, "strong"))
    console.print(_side("before", comparison.before, now))
    console.print(_side("after", comparison.after, now))
    if comparison.checks:
        console.print()
        width = max(len(change.name) for change in comparison.checks)
        for change in comparison.checks:
            console.print(_turned(change, width))
    for file in comparison.files:
        console.print()
        _show_file(console, file)
    if not comparison.files:
        console.print()
        console.print("  The files are the same.", style="quiet")


def _side(label: str, attempt: PastAttempt | None, now: datetime | None) -> Text:
    line = Text(f"  {label:<6}  ", "quiet")
    if attempt is None:
        return line.append("your files as they are now")
    verdict = "no score" if attempt.score is None else f"{attempt.score:.0%}"
    line.append(f"attempt {attempt.number}, {attempt.rung}: ").append(verdict, "good" if attempt.solved else "bad")
    return line.append(f"  {ago(attempt.at, now)}", "quiet")


def _turned(change: CheckChange, width: int) -> Text:
    line = foreign(f"  {change.name:<{width}}  ")
    line.append(change.before or "not run", _OUTCOME_STYLES.get(change.before, "")).append(" -> ", "quiet")
    return line.append(change.after or "not run", _OUTCOME_STYLES.get(change.after, ""))


def _show_file(console: Console, change: FileChange) -> None:
    console.print(
        foreign(f"--- {change.name}" if change.before_bytes is not None else "--- /dev/null", "strong"), soft_wrap=True
    )
    console.print(
        foreign(f"+++ {change.name}" if change.after_bytes is not None else "+++ /dev/null", "strong"), soft_wrap=True
    )
    if not change.lines and change.before_bytes and change.after_bytes:
        sizes = f"{change.before_bytes:,} -> {change.after_bytes:,} bytes"
        console.print(f"not text: {sizes}", style="quiet")
    for line in change.lines:
        console.print(foreign(line, _LINE_STYLES.get(line[:1], "")), soft_wrap=True)
