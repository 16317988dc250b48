"""Lists of what to read and watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.reading import ReadingList
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION
from deepfield_cli.render.signs import sign

_WIDEST = 110


def show_lists(console: Console, lists: Sequence[ReadingList]) -> None:
    """Print each list, one line for each resource."""
    for one in lists:
        done = sum(item.done is not None for item in one.items)
        console.print(foreign(one.title, "strong").append(f"  {done} of {len(one.items)} done", "quiet"))
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=1)
        table.add_column(no_wrap=True, max_width=34, overflow="ellipsis")
        table.add_column(no_wrap=True, width=9)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for item in one.items:
            title = foreign(item.resource.title).append_text(foreign(f": {item.part}" if item.part else "", "quiet"))
            state = sign(console, "solved" if item.done else "open")
            table.add_row(state, foreign(item.resource.id, "accent"), Text(item.resource.kind[:9], "quiet"), title)
        console.print(Padding(table, (0, 0, 1, 2)), width=min(console.width, _WIDEST))
    console.print(
        "  [quiet]more about one:[/] [accent]deepfield show ID[/] [quiet]· read it:[/] "
        "[accent]deepfield open ID[/] [quiet]· done with it:[/] [accent]deepfield done ID[/]"
    )


def lists_document(lists: Sequence[ReadingList]) -> dict[str, Any]:
    """The lists as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "lists": [
            {
                "title": one.title,
                "resources": [
                    {**item.resource.model_dump(mode="json"), "part": item.part, "done": item.done}
                    for item in one.items
                ],
            }
            for one in lists
        ],
    }
