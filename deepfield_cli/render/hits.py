"""What a search found; apart from the lists, so that a search loads nothing that it does not need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deepfield_cli.journey.search_index import Hit
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document

_WIDEST = 110


def show_hits(console: Console, hits: Sequence[Hit]) -> None:
    """Print what was found, with the words where they stand."""
    if not hits:
        console.print("Nothing on the road has these words.")
        return
    for hit in hits:
        head = (
            foreign(hit.id, "accent").append_text(foreign(f"  {hit.title}", "strong")).append(f"  {hit.kind}", "quiet")
        )
        console.print(head, width=min(console.width, _WIDEST))
        console.print(Padding(_snippet(hit.snippet), (0, 0, 0, 4)), width=min(console.width, _WIDEST))


def hits_document(hits: Sequence[Hit]) -> dict[str, Any]:
    """What was found, as JSON; the words stand between square brackets."""
    found = [{**as_document(hit), "snippet": hit.snippet.replace("\2", "[").replace("\3", "]")} for hit in hits]
    return {"schema_version": SCHEMA_VERSION, "hits": found}


def _snippet(text: str) -> Text:
    line = Text()
    for piece in text.split("\2"):
        word, closed, rest = piece.partition("\3")
        line.append_text(foreign(word, "accent" if closed else "quiet")).append_text(foreign(rest, "quiet"))
    return line
