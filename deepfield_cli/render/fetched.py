"""What came of fetching, adding, verifying, removing and tokenizing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deepfield_cli.datasets.disk import readable_bytes
from deepfield_cli.datasets.getting import Fetched
from deepfield_cli.datasets.holding import Holding
from deepfield_cli.datasets.receipt import FileRecord
from deepfield_cli.datasets.removing import Removal
from deepfield_cli.datasets.shards import VALIDATION_MARK, Shard
from deepfield_cli.datasets.verifying import Verified
from deepfield_cli.render.console import foreign
from deepfield_cli.render.datasets import KNOWN_BY, counted_files
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import sign

_WIDEST = 110


def show_fetched(console: Console, fetched: Fetched) -> None:
    """Print what came, how it was verified, and where it is."""
    holding, dataset = fetched.holding, fetched.holding.dataset
    records = [holding.receipt.files[file.name] for file in fetched.new if file.name in holding.receipt.files]
    if records:
        size = readable_bytes(sum(record.bytes for record in records))
        console.print(foreign(f"{counted_files(len(records))} fetched, {size}: {_how_verified(records)}"))
    elif holding.path is not None:
        how = "as you added it" if holding.state == "added" else f"deepfield data verify {dataset.id} reads it through"
        console.print(foreign(f"Here already; {how}."))
    if holding.state in ("enough", "some"):
        console.print(foreign(f"{len(holding.files)} of {counted_files(len(dataset.all_files))} are here."))
    if holding.path is not None:
        _say(console, str(holding.path), "accent")


def show_added(console: Console, holding: Holding) -> None:
    """Print what was found in a copy, and whether it is the published one."""
    addition = holding.receipt.addition
    if addition is None:
        return
    _say(console, f"{holding.dataset.id} is now {addition.path}: {addition.found}.")
    if addition.published is False:
        words = "Its shape is right, but it is not byte for byte what the publisher offers."
        console.print(foreign(words, "warn"))
    elif addition.published is None:
        console.print(foreign("Its shape was looked at; its checksum was not.", "quiet"))
    else:
        console.print(foreign("It is byte for byte what the publisher offers.", "good"))


def show_verified(console: Console, found: Sequence[Verified]) -> None:
    """Print a line for each file."""
    if not found:
        console.print("Nothing is here that could be verified.")
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in found:
        state = sign(console, "solved" if one.is_right else "outdated")
        words = foreign(one.words, "quiet" if one.is_right else "bad")
        table.add_row(state, foreign(f"{one.dataset}: {one.name}"), words)
    console.print(table, width=min(console.width, _WIDEST))
    for name in sorted({one.dataset for one in found if not one.is_right}):
        console.print(foreign(f"deepfield data get --check {name} fetches again what has changed.", "accent"))


def show_removed(console: Console, name: str, removal: Removal) -> None:
    """Print what is gone."""
    if removal.addition is not None:
        _say(console, f"{name} does not point at {removal.addition.path} any more; nothing there was touched.")
    elif removal.bytes:
        console.print(foreign(f"{name} removed, {readable_bytes(removal.bytes)} are free again."))
    else:
        console.print(foreign(f"Nothing of {name} was here."))


def show_shards(console: Console, shards: Sequence[Shard], folder: Path) -> None:
    """Print how many tokens there are, and what to do with them."""
    validation = sum(shard.count for shard in shards if VALIDATION_MARK in shard.path.name)
    total = sum(shard.count for shard in shards)
    count = counted_files(len(shards))
    _say(console, f"{count} in {folder}: {total:,} tokens, {validation:,} of them for validation.")
    _say(console, f"In place of the published shards: deepfield data add fineweb-edu-10b {folder}", "accent")


def verified_document(found: Sequence[Verified]) -> dict[str, Any]:
    """What was verified, as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "ok": all(one.is_right for one in found),
        "files": [as_document(one) for one in found],
    }


def _how_verified(records: Sequence[FileRecord]) -> str:
    counts = {known: sum(record.known_by == known for record in records) for known in KNOWN_BY}
    parts = [(known, count) for known, count in counts.items() if count]
    if len(parts) == 1:
        return KNOWN_BY[parts[0][0]]
    return "; ".join(f"{count} with {KNOWN_BY[known]}" for known, count in parts)


def _say(console: Console, text: str, style: str = "") -> None:
    """A line with a path in it is not broken: the path is there to be copied."""
    console.print(foreign(text, style), soft_wrap=True)
