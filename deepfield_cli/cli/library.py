"""``resources``, ``done``, ``open`` and ``search``: what there is to read, and finding it."""

from __future__ import annotations

from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json

ResourceArgument = Annotated[str, typer.Argument(metavar="RESOURCE", help="Id of a resource, e.g. minbpe.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(resources)
    app.command()(done)
    app.command(name="open")(open_resource)
    app.command()(search)


def resources(
    field: Annotated[str | None, typer.Option("--field", metavar="FIELD", help="Only this stage, e.g. llm.")] = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only what you are not done with.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What to read and watch, stage by stage, and what you are done with."""
    from deepfield_cli.journey.reading import read_lists
    from deepfield_cli.journey.workspace import find_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.resources import lists_document, show_lists

    lists = read_lists(find_workspace(), field, unread=unread)
    if as_json:
        return print_json(lists_document(lists))
    show_lists(make_console(), lists)
    return None


def done(
    resource: ResourceArgument,
    undo: Annotated[bool, typer.Option("--undo", help="You are not done with it after all.")] = False,
) -> None:
    """Mark something as read or watched."""
    from deepfield_cli.journey.reading import find_resource, mark_done
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import foreign, make_console

    workspace = require_workspace()
    found = find_resource(resource)
    changed = mark_done(workspace, found, undo=undo)
    word = ("Not done" if undo else "Done") if changed else ("Was not done" if undo else "Was done already")
    make_console().print(foreign(f"{word}: {found.title}"))


def open_resource(
    resource: ResourceArgument,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address and open nothing.")] = False,
) -> None:
    """Open something in the browser; its address is printed in any case."""
    import sys

    from deepfield_cli.journey.reading import find_resource

    found = find_resource(resource)
    sys.stdout.write(f"{found.url}\n")
    if not found.verified:
        sys.stderr.write("deepfield: this address is from memory; it may have moved\n")
    if not only_print:
        typer.launch(found.url)


def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="What to look for; the beginning of a word is enough.")
    ],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Find anything on the road, and in your gap log. Exit code 1 if nothing is found."""
    from deepfield_cli.journey.search_index import search as find
    from deepfield_cli.journey.workspace import find_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.hits import hits_document, show_hits

    hits = find(" ".join(words), limit, find_workspace())
    if as_json:
        print_json(hits_document(hits))
    else:
        show_hits(make_console(), hits)
    if not hits:
        raise typer.Exit(1)
