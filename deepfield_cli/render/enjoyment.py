"""The one-key question after a pass."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

_KEYS = ("1", "2", "3", "4", "5")


def ask_enjoyment(console: Console, read_key: Callable[[], str]) -> int | None:
    """Ask once; any key but 1 to 5 skips, Ctrl-C and the end of the input too."""
    console.print("How much did you enjoy that? 1-5, Enter to skip: ", end="")
    try:
        key = read_key()
    except (EOFError, KeyboardInterrupt, OSError):
        key = ""
    console.print(key if key in _KEYS else "skipped", style="quiet")
    return int(key) if key in _KEYS else None
