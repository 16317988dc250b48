"""What ``export`` and ``import`` say."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from deepfield_cli.journey.parcel.importing import Imported
from deepfield_cli.journey.parcel.writing import Exported
from deepfield_cli.practice.quantity import format_quantity
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document


def show_export(console: Console, exported: Exported) -> None:
    """Say what was written, and what to tell whoever gets it."""
    size = format_quantity(max(exported.size_bytes, 1), "B")
    counts = f"{exported.entries:,} entries, {exported.blobs:,} payloads and files, {size}"
    console.print(foreign(f"{exported.path}: {counts}"))
    console.print(Text("It holds your code, your notes and every attempt: give it only to whom you trust.", "warn"))
    console.print(Text("Its last hash, which proves that nothing is missing at the end:", "quiet"))
    console.print(Text(f"  {exported.head}", "strong"), soft_wrap=True)
    command = f"deepfield import {exported.path.name} --head {exported.head[:16]}"
    console.print(foreign(f"Whoever gets it runs: {command}", "quiet"))


def show_import(console: Console, imported: Imported, where: str | None, *, head_given: bool) -> None:
    """Say what holds, and what to do next."""
    contents = imported.contents
    counts = f": {contents.entries:,} entries, {contents.blobs:,} blobs, every hash computed again."
    console.print(Text("The chain holds", "good").append(counts, ""))
    if contents.first_at and contents.last_at:
        span = f"From {contents.first_at[:10]} to {contents.last_at[:10]}; {contents.attempts:,} attempts."
        console.print(foreign(span, "quiet"))
    for problem, rung in contents.solved:
        console.print(foreign(f"  {problem} {rung}").append("  solved, as the record says", "quiet"))
    console.print(Text("It ends with").append(f" {contents.head}", "strong"), soft_wrap=True)
    if not head_given:
        console.print(Text("Compare this with what its owner tells you: a past cut short has another end.", "quiet"))
    if where is not None:
        console.print(foreign(f"A workspace for reading only: {where}"))
        console.print(foreign(f"Grade it again yourself: cd {where} && deepfield verify --regrade", "accent"))


def import_document(imported: Imported) -> dict[str, Any]:
    """The same for programs."""
    document = as_document(imported.contents)
    document["solved"] = [{"problem": problem, "rung": rung} for problem, rung in imported.contents.solved]
    workspace = str(imported.workspace.root) if imported.workspace else None
    return {"schema_version": SCHEMA_VERSION, "ok": True, **document, "workspace": workspace}
