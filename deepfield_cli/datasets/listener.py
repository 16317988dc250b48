"""Who wants to know how a download, a check or a conversion goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _ignore(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Listener:
    """Told of every step; each is called often and must be quick.

    Attributes:
        on_plan: what is to be done in all: the step that is counted, how many files, how many bytes.
        on_file: a file begins: its name, its number from 1, how many files, its size if it is known.
        on_bytes: so many bytes of this file are done, of so many if that is known.
        on_step: what is being done with the file now, in one word: fetching, checking, unpacking.
        on_note: something worth a line: a retry, a wait.

    """

    on_plan: Callable[[str, int, int], None] = _ignore
    on_file: Callable[[str, int, int, int | None], None] = _ignore
    on_bytes: Callable[[int, int | None], None] = _ignore
    on_step: Callable[[str], None] = _ignore
    on_note: Callable[[str], None] = _ignore
