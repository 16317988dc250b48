"""Datasets: what there is, and what of it is here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.datasets.dataset import Dataset, RemoteFile
from deepfield_cli.datasets.disk import readable_bytes
from deepfield_cli.datasets.holding import Holding
from deepfield_cli.datasets.receipt import FileRecord
from deepfield_cli.render.console import foreign
from deepfield_cli.render.plain import SCHEMA_VERSION
from deepfield_cli.render.signs import dash, sign

_WIDEST = 110
_SIGNS = {"here": "solved", "added": "solved", "enough": "tried", "some": "tried", "absent": "open", "lost": "outdated"}

KNOWN_BY = {
    "beforehand": "sha256 known beforehand",
    "server": "sha256 as the server told it",
    "nobody": "sha256 recorded when it came; the publisher names none",
}


def show_datasets(console: Console, holdings: Sequence[Holding], cache: Path) -> None:
    """Print two or three lines for each dataset, and where they are kept."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1, overflow="fold")
    for holding in holdings:
        dataset = holding.dataset
        about = foreign(dataset.title).append("\n").append_text(_facts(console, dataset))
        if holding.state != "absent" or holding.partial_bytes:
            about.append("\n").append_text(foreign(_state(holding), "warn" if holding.path is None else "good"))
        table.add_row(
            sign(console, _SIGNS[holding.state]), foreign(dataset.id, "accent"), readable_bytes(dataset.bytes), about
        )
    console.print(Padding(table, (0, 0, 1, 2)), width=min(console.width, _WIDEST))
    console.print(foreign(f"  kept in {cache}", "quiet").append_text(foreign(_free(cache), "quiet")), soft_wrap=True)
    for words, command in (("more about one", "list NAME"), ("fetch it", "get NAME"), ("you have it", "add NAME PATH")):
        console.print(foreign(f"  {words}: ", "quiet").append_text(foreign(f"deepfield data {command}", "accent")))


def show_dataset(console: Console, holding: Holding, needed_by: Sequence[str]) -> None:
    """Print everything about one dataset."""
    dataset = holding.dataset
    console.print(foreign(dataset.id, "accent").append(f"  {dataset.title}", "strong"))
    console.print(Padding(foreign(dataset.summary), (0, 0, 1, 0)), width=min(console.width, _WIDEST))
    for name, words in _details(holding, needed_by):
        _show_detail(console, name, words)


def datasets_document(holdings: Sequence[Holding], cache: Path) -> dict[str, Any]:
    """The datasets as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "cache": str(cache),
        "datasets": [_document(holding) for holding in holdings],
    }


def _document(holding: Holding) -> dict[str, Any]:
    dataset = holding.dataset
    about = dataset.model_dump(mode="json", include={"id", "title", "summary", "kind", "licence", "origin", "enough"})
    files = []
    for file in dataset.all_files:
        record = holding.receipt.files.get(file.name) if file in holding.files else None
        files.append(
            {
                **file.model_dump(mode="json", include={"name", "urls", "bytes", "sha256"}),
                "here": file in holding.files,
                "measured_sha256": record.sha256 if record else None,
                "known_by": record.known_by if record else None,
            }
        )
    return {
        **about,
        "bytes": dataset.bytes,
        "state": holding.state,
        "path": str(holding.path) if holding.path else None,
        "partial_bytes": holding.partial_bytes,
        "files": files,
    }


def _facts(console: Console, dataset: Dataset) -> Text:
    host = urlsplit(dataset.origin.url).hostname or ""
    return foreign(f" {dash(console)} ".join((dataset.licence.name, host, _checksums(dataset))), "quiet")


def _checksums(dataset: Dataset) -> str:
    known, count = sum(file.sha256 is not None for file in dataset.all_files), len(dataset.all_files)
    if known == count:
        return "sha256 known"
    return f"sha256 known for {known} of {count} files" if known else "no sha256 known beforehand"


def _state(holding: Holding) -> str:
    addition, count = holding.receipt.addition, len(holding.dataset.all_files)
    if addition is not None:
        gone = ", which is not there any more" if holding.state == "lost" else ""
        return f"added: {addition.path}{gone}"
    begun = f", {readable_bytes(holding.partial_bytes)} of the next" if holding.partial_bytes else ""
    if count == 1:
        return "here" if holding.state == "here" else f"begun: {readable_bytes(holding.partial_bytes)}"
    enough = ", enough for a grader" if holding.state == "enough" else ""
    return f"{len(holding.files)} of {count} files here{enough}{begun}"


def _details(holding: Holding, needed_by: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and words of each fact; words without a name go on with the one before."""
    dataset = holding.dataset
    licence, origin = dataset.licence, dataset.origin
    yield "size", f"{dataset.bytes:,} bytes in {counted_files(len(dataset.all_files))}"
    yield "licence", licence.name + (f". {licence.note}" if licence.note else "")
    yield "", licence.url + ("" if licence.verified else " (from memory)")
    yield "source", origin.title
    yield "", origin.url
    yield "", origin.facts
    yield "addresses", f"last answered on {origin.checked}" if origin.checked else "read about, never tried"
    yield "needed by", ", ".join(needed_by) or "no rung yet"
    yield "state", _state(holding) if holding.state != "absent" or holding.partial_bytes else "not here"
    if holding.path is not None:
        yield "path", str(holding.path)
    shown = dataset.all_files if len(dataset.all_files) <= 3 else dataset.all_files[:2]
    for file in shown:
        yield "file", f"{file.name}, {file.bytes:,} bytes"
        yield "", file.urls[0]
        yield "", _digest_words(file, holding.receipt.files.get(file.name))
    if len(shown) < len(dataset.all_files):
        yield "", f"and {len(dataset.all_files) - len(shown)} more; --json lists them all"


def _show_detail(console: Console, name: str, words: str) -> None:
    """An address or a path stays on one line, however long: it is there to be copied."""
    label = Text(f"{name:<11}", "quiet")
    if words.startswith(("http", "/")):
        console.print(label.append_text(foreign(words)), soft_wrap=True)
        return
    table = Table.grid()
    table.add_column(width=len(label))
    table.add_column(overflow="fold")
    table.add_row(label, foreign(words))
    console.print(table, width=min(console.width, _WIDEST))


def _digest_words(file: RemoteFile, record: FileRecord | None) -> str:
    digest = file.sha256 or (record.sha256 if record else None)
    known = KNOWN_BY["beforehand"] if file.sha256 else KNOWN_BY[record.known_by] if record else "sha256 not known yet"
    return known + (f": {digest}" if digest else "")


def counted_files(count: int) -> str:
    """A number of files, in words."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def _free(cache: Path) -> str:
    nearest = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    return f", {readable_bytes(shutil.disk_usage(nearest).free)} free"
