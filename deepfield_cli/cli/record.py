"""``portfolio``, ``export`` and ``import``: what was proved, to be shown, handed on and checked by others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json
from deepfield_cli.errors import DeepfieldError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(portfolio)
    app.command()(export)
    app.command(name="import")(import_record)


def portfolio(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the page goes.")] = Path(
        "portfolio.html"
    ),
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Your name, at the top.")] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Show the notes of attestations too.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """One page of what you proved, for anybody to read: no code, no paths, no notes. It opens without a network."""
    from deepfield_cli.journey.portfolio.gathering import gather
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import foreign, make_console
    from deepfield_cli.render.portfolio.page import portfolio_page

    workspace = require_workspace()
    page = portfolio_page(gather(workspace, name=name, notes=notes))
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DeepfieldError(
            f"cannot write: {error.strerror}", where=str(out), fix="--out names another file"
        ) from error
    make_console().print(foreign(f"{out}: {len(page.encode()) / 1000:.0f} kB, one file, nothing private in it"))
    if show:
        typer.launch(out.absolute().as_uri())


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, e.g. my-record.zip.")],
    as_json: JsonOption = False,
) -> None:
    """Your whole record as one file, which anybody can prove and grade again. It holds your code and notes."""
    from deepfield_cli.journey.parcel.writing import export_record
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.document import SCHEMA_VERSION, as_document
    from deepfield_cli.render.parcel import show_export

    exported = export_record(require_workspace(), file)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, **as_document(exported)})
    else:
        show_export(make_console(), exported)


def import_record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that deepfield export wrote.")],
    folder: Annotated[
        Path | None, typer.Option("--as", metavar="FOLDER", help="A new folder for it. Default: FILE-record.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="Its last hash, as its owner told you.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Prove it and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove a record from its file alone, and unpack it for reading and regrading. Exit code 2 if it does not hold."""
    from deepfield_cli.journey.parcel import importing
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.parcel import import_document, show_import

    imported = importing.check_record(file, head) if check else importing.import_record(file, folder, head)
    if as_json:
        return print_json(import_document(imported))
    where = imported.workspace.shown(imported.workspace.root) if imported.workspace else None
    show_import(make_console(), imported, where, head_given=head is not None)
    return None
