"""The terminal: one console for answers, one for complaints, and the escaping of foreign text."""

from __future__ import annotations

import sys
import unicodedata
from typing import IO

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

# One accent, and colours that hold on dark and light backgrounds alike.
THEME = Theme(
    {
        "good": "green",
        "bad": "red",
        "warn": "yellow",
        "accent": "cyan",
        "quiet": "bright_black",
        "strong": "bold",
    }
)
# Characters that reorder or hide text (Unicode TR 9 and 36): shown by their number instead.
_REORDERING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF}


def make_console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console on standard output; NO_COLOR, TERM and COLUMNS are honoured by rich itself."""
    return Console(file=file or sys.stdout, theme=THEME, width=width, highlight=False, soft_wrap=False, emoji=False)


def make_error_console() -> Console:
    """A console on standard error."""
    return Console(stderr=True, theme=THEME, highlight=False, soft_wrap=True, emoji=False)


def foreign(text: str, style: str = "") -> Text:
    """Text that is not ours, as rich Text: no markup, no escape sequences, no reordering."""
    return Text(escaped(text), style=style)


def escaped(text: str) -> str:
    """Replace control, reordering and lone surrogate characters by their escapes; newlines and tabs stay."""
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if character in "\n\t":
        return character
    code = ord(character)
    if code in _REORDERING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    return character
