"""The signs of a rung's state, with words for terminals that have only ASCII."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.text import Text

_SIGNS = {"solved": "●", "confirmed": "◆", "outdated": "◎", "tried": "◐", "open": "○", "planned": "◌", "absent": "·"}
_PLAIN_SIGNS = {
    "solved": "X",
    "confirmed": "C",
    "outdated": "x",
    "tried": "~",
    "open": "o",
    "planned": ".",
    "absent": "-",
}
_STYLES = {
    "solved": "good",
    "confirmed": "accent",
    "outdated": "warn",
    "tried": "warn",
    "open": "",
    "planned": "quiet",
    "absent": "quiet",
}
_WORDS = {
    "solved": "solved",
    "confirmed": "confirmed by others",
    "outdated": "solved before its checks changed",
    "tried": "tried",
    "open": "open",
    "planned": "no grader yet",
    "absent": "not part of it",
}


def can_show_signs(console: Console) -> bool:
    """Whether the output's encoding has more than ASCII."""
    return "utf" in (console.encoding or "").lower()


def sign(console: Console, state: str) -> Text:
    """The sign of a rung's state."""
    signs = _SIGNS if can_show_signs(console) else _PLAIN_SIGNS
    return Text(signs[state], style=_STYLES[state])


def dash(console: Console) -> str:
    """What separates two facts on a line."""
    return "·" if can_show_signs(console) else "-"


def pointer(console: Console) -> str:
    """What points at the current problem."""
    return "▸" if can_show_signs(console) else ">"


def progress_bar(console: Console, done: int, total: int) -> Text:
    """One mark for each step, those that are done first."""
    full, empty = ("━", "─") if can_show_signs(console) else ("#", "-")
    return Text(full * min(done, total), "accent").append(empty * max(total - done, 0), "quiet")


def legend(console: Console, states: Collection[str]) -> Text:
    """What the signs mean, for those that are on the screen."""
    line = Text()
    for state in _SIGNS:
        if state in states:
            line.append("   " if line else "").append_text(sign(console, state)).append(f" {_WORDS[state]}", "quiet")
    return line
