"""What this machine has of a dataset, found out by looking at names and sizes; nothing is read through."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepfield_cli.datasets.dataset import Dataset, RemoteFile
from deepfield_cli.datasets.disk import content_bytes
from deepfield_cli.datasets.place import Place, data_folder
from deepfield_cli.datasets.receipt import Receipt, read_receipt

# here: everything. enough: all that a grader needs, not everything. some: less than that. absent: nothing.
# added: a copy elsewhere. lost: a copy elsewhere that is not there any more.
State = Literal["here", "enough", "some", "absent", "added", "lost"]


@dataclass(frozen=True, slots=True)
class Holding:
    """A dataset and what is here of it.

    Attributes:
        dataset: the dataset.
        place: its paths in the cache.
        receipt: what is recorded of its files.
        state: how much is here.
        files: those that are here, whole.
        partial_bytes: what has arrived of files that are not whole yet.

    """

    dataset: Dataset
    place: Place
    receipt: Receipt
    state: State
    files: tuple[RemoteFile, ...]
    partial_bytes: int

    @property
    def path(self) -> Path | None:
        """What a grader gets: the file or the folder; None if it would not be enough."""
        if self.state == "added" and self.receipt.addition is not None:
            return Path(self.receipt.addition.path)
        if self.state not in ("here", "enough"):
            return None
        return self.place.file(self.dataset.all_files[0].name) if self.dataset.kind == "file" else self.place.folder

    @property
    def bytes(self) -> int:
        """Size of the files that are here."""
        return sum(self.receipt.files[file.name].bytes for file in self.files)

    def missing(self, files: tuple[RemoteFile, ...]) -> tuple[RemoteFile, ...]:
        """Those of these files that are not here."""
        return tuple(file for file in files if file not in self.files)


def look(dataset: Dataset, cache: Path | None = None) -> Holding:
    """What is here of a dataset."""
    place = Place(data_folder(cache), dataset.id)
    receipt = read_receipt(place.receipt)
    files = tuple(file for file in dataset.all_files if is_here(file, place, receipt))
    state = _state(dataset, receipt, files)
    return Holding(dataset, place, receipt, state, files, sum(_size(place.part(f.name)) for f in dataset.all_files))


def is_here(file: RemoteFile, place: Place, receipt: Receipt) -> bool:
    """Whether a finished file has the size that was recorded when it was verified."""
    record, path = receipt.files.get(file.name), place.file(file.name)
    if record is None or file.sha256 not in (None, record.sha256):
        return False
    try:
        return path.exists() and content_bytes(path) == record.bytes
    except OSError:  # a folder that may not be looked into
        return False


def _state(dataset: Dataset, receipt: Receipt, files: tuple[RemoteFile, ...]) -> State:
    if receipt.addition is not None:
        is_there = os.path.isfile if dataset.kind == "file" else os.path.isdir  # these never raise
        return "added" if is_there(receipt.addition.path) else "lost"
    if len(files) == len(dataset.all_files):
        return "here"
    if all(file in files for file in dataset.needed_files):
        return "enough"
    return "some" if files else "absent"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
