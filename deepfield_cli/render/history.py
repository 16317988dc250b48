"""What was tried, as a table: one line per attempt, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.history import History
from deepfield_cli.journey.past_attempt import FAULT, PastAttempt
from deepfield_cli.render.console import foreign
from deepfield_cli.render.moments import ago, local
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import dash, sign

# From this width on there is room for the clock beside "how long ago", and for the seed.
_WIDE = 110


def show_history(console: Console, history: History, *, now: datetime | None = None) -> None:
    """Print the attempts and what can be done with them."""
    if not history.attempts:
        console.print(foreign(f"No attempt{_of(history)} yet: deepfield grade makes one.", "quiet"))
        return
    console.print(_table(console, history, now))
    console.print()
    shown = len(history.attempts)
    if shown < history.total:
        console.print(f"  the newest {shown} of {history.total:,}; --limit shows more", style="quiet")
    newest = history.attempts[0].number
    commands = [f"deepfield {words} {newest}" for words in ("diff", "restore", "verify --attempt")]
    console.print(f"  {f'  {dash(console)}  '.join(commands)}", style="quiet")


def history_document(history: History) -> dict[str, Any]:
    """The attempts as JSON."""
    return {"schema_version": SCHEMA_VERSION, **as_document(history)}


def _of(history: History) -> str:
    return f" at {history.problem}" if history.problem else ""


def _table(console: Console, history: History, now: datetime | None) -> Table:
    wide = console.width >= _WIDE
    columns = {
        "#": {"justify": "right"},
        "when": {"no_wrap": True},
        "problem": {"no_wrap": True},
        "rung": {"no_wrap": True},
        "score": {"justify": "right", "no_wrap": True},
        "first failure": {"no_wrap": True, "overflow": "ellipsis", "ratio": 1},
        "seed": {"no_wrap": True, "justify": "right"},
    }
    left_out = set() if history.problem is None else {"problem"}
    left_out |= set() if wide else {"seed"}
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True, header_style="quiet")
    shown: dict[str, Any] = {name: column for name, column in columns.items() if name not in left_out}
    for name, column in shown.items():
        table.add_column(name, **column)
    for attempt in history.attempts:
        cells = _cells(console, attempt, now, wide=wide)
        table.add_row(*[cells[name] for name in shown])
    return table


def _cells(console: Console, attempt: PastAttempt, now: datetime | None, *, wide: bool) -> dict[str, Text]:
    when = f"{local(attempt.at)}  {ago(attempt.at, now)}" if wide else ago(attempt.at, now)
    return {
        "#": Text(str(attempt.number)),
        "when": Text(when, "quiet"),
        "problem": foreign(attempt.problem),
        "rung": foreign(attempt.rung, "quiet"),
        "score": _score(console, attempt),
        "first failure": _failure(attempt),
        "seed": Text("" if attempt.seed is None else str(attempt.seed), "quiet"),
    }


def _score(console: Console, attempt: PastAttempt) -> Text:
    if attempt.kind == FAULT or attempt.score is None:
        return Text("no score", "warn")
    score = Text(f"{attempt.score:.0%} ")
    return score.append_text(sign(console, "solved" if attempt.solved else "tried"))


def _failure(attempt: PastAttempt) -> Text:
    if attempt.kind == FAULT:
        return foreign(f"{attempt.check or 'a check'} broke: not your failure", "warn")
    if attempt.check is None:
        return Text()
    words = foreign(attempt.check)
    return words.append("  ").append_text(foreign(attempt.diagnosis, "bad")) if attempt.diagnosis else words
