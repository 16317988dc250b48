"""The page of anything on the road."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.item_page import ItemPage, Section
from deepfield_cli.journey.rules import Part
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import dash, sign

_WIDEST = 100
_NAME = 30
# A pull request that GitHub confirmed is not a grade, and a learner's word is neither.
_EVIDENCE = {"verified": "good", "confirmed": "accent", "attested": "warn"}


def show_item(console: Console, page: ItemPage) -> None:
    """Print the page."""
    facts = f" {dash(console)} ".join((page.kind, *page.facts))
    console.print(
        foreign(page.title, "strong").append_text(foreign(f"  {page.id} {dash(console)} {facts}", "quiet")),
        width=min(console.width, _WIDEST),
    )
    for paragraph in page.paragraphs:
        # an address is printed whole, so that the terminal can follow it
        console.print(foreign(paragraph), width=min(console.width, _WIDEST), soft_wrap=paragraph.startswith("http"))
    for section in page.sections:
        _show_section(console, section)
    if page.rule is not None:
        console.print(Text("\nwhere you are", "strong"))
        _show_part(console, page.rule, 1)


def item_document(page: ItemPage) -> dict[str, Any]:
    """The page as JSON."""
    return {"schema_version": SCHEMA_VERSION, **as_document(page)}


def _show_section(console: Console, section: Section) -> None:
    if section.title:
        console.print(Text(f"\n{section.title}", "strong"))
    table = Table.grid(padding=(0, 2, 0, 0))
    known = any(row.done is not None for row in section.rows)
    if known:
        table.add_column(width=1)
    if any(row.name for row in section.rows):
        table.add_column(max_width=_NAME, overflow="fold")
    table.add_column(overflow="fold")
    for row in section.rows:
        cells = [_mark(console, row.done), foreign(row.name, "accent"), foreign(row.words)]
        table.add_row(*(cells[0:1] if known else []), *cells[3 - len(table.columns) + known :])
    console.print(Padding(table, (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def _mark(console: Console, done: bool | None) -> Text:
    return sign(console, "solved" if done else "open") if done is not None else Text()


def _show_part(console: Console, part: Part, depth: int) -> None:
    line = Text("  " * depth).append_text(sign(console, "solved" if part.holds else "open")).append(" ")
    line.append_text(foreign(part.words))
    if part.evidence:
        line.append(f"  {part.evidence}", _EVIDENCE[part.evidence])
    console.print(line, width=min(console.width, _WIDEST))
    for inner in part.parts:
        _show_part(console, inner, depth + 1)
