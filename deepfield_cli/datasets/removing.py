"""Removing a dataset from the cache; a copy elsewhere is only forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfield_cli import whole_files
from deepfield_cli.datasets import disk
from deepfield_cli.datasets.dataset import Dataset
from deepfield_cli.datasets.holding import Holding, look
from deepfield_cli.datasets.lock import held_at_once
from deepfield_cli.datasets.place import Place
from deepfield_cli.datasets.receipt import Addition, FileRecord, Receipt, read_receipt, write_receipt


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed: bytes of files and of parts, and the copy that is not pointed at any more."""

    bytes: int
    addition: Addition | None


def remove(dataset: Dataset, *, cache: Path | None = None, forget: bool = False) -> Removal:
    """Remove files and parts, or forget a copy elsewhere.

    What was measured when a file came for the first time, and is stated nowhere, stays known, so that the next copy can
    be compared with it; ``forget`` drops that too.
    """
    holding = look(dataset, cache)
    if not holding.place.folder.exists():
        return Removal(0, None)
    with held_at_once(holding.place.lock, dataset.id):
        holding = look(dataset, cache)
        _remove_files(holding)
        _remember(holding.place, forget=forget)
    return Removal(holding.bytes + holding.partial_bytes, holding.receipt.addition)


def _remove_files(holding: Holding) -> None:
    if holding.receipt.addition is not None:
        return
    for file in holding.dataset.all_files:
        place = holding.place
        for path in (place.file(file.name), place.part(file.name), place.notes(file.name), place.unpacked(file.name)):
            disk.remove(path)


def _remember(place: Place, *, forget: bool) -> None:
    known = {} if forget else read_receipt(place.receipt).files
    kept = {name: record for name, record in known.items() if _is_needed(place, name, record)}
    if kept:
        write_receipt(place.receipt, Receipt(kept))
    else:
        for path in (place.receipt, *place.folder.glob(f".*{whole_files.ENDING}")):
            disk.remove(path)
        if not any(place.folder.iterdir()):
            place.folder.rmdir()


def _is_needed(place: Place, name: str, record: FileRecord) -> bool:
    """A record of a file that is still here, or the only thing that the next one can be compared with."""
    return record.known_by != "beforehand" or place.file(name).exists()
