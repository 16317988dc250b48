"""HTML that cannot be broken by what is written into it: text is escaped always, markup is made here only."""

from __future__ import annotations

import html
from urllib.parse import urlsplit

from deepfield_cli.render.console import escaped

_VOID = frozenset({"meta", "link", "br", "circle", "rect", "path", "line", "polyline"})
_LONGEST_ADDRESS = 2000


class Markup(str):
    """HTML that was made by this module; any other string is text."""

    __slots__ = ()


Child = Markup | str | int | None


def element(tag: str, *children: Child, **attributes: str | int | float | None) -> Markup:
    """``<tag attributes>children</tag>``; ``class_`` stands for class, ``stroke_width`` for stroke-width."""
    given = "".join(_attribute(name, value) for name, value in attributes.items() if value is not None)
    if tag in _VOID and not children:
        return Markup(f"<{tag}{given}>" if tag in ("meta", "link", "br") else f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Several pieces one after the other; what is no markup is escaped."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children))


def text(value: Child) -> Markup:
    """Text from anywhere: no markup, no control characters, nothing that turns the reading direction."""
    return Markup("" if value is None else html.escape(escaped(str(value)), quote=True))


def link(address: str | None, words: str) -> Markup:
    """A link, if the address is one that is harmless to follow; else the words alone."""
    if address is None or not _is_harmless(address):
        return text(words)
    return element("a", words, href=address, rel="noopener noreferrer nofollow")


def _is_harmless(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = all(character.isprintable() and character != " " for character in address)
    return plain and parts.scheme in ("http", "https") and bool(parts.netloc) and len(address) <= _LONGEST_ADDRESS


def _attribute(name: str, value: str | int | float | None) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name.rstrip("_").replace("_", "-")}="{text(shown)}"'
