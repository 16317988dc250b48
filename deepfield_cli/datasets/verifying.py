"""Reading the files of a dataset through again, and comparing each with what is known of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from deepfield_cli.datasets import disk
from deepfield_cli.datasets.dataset import Dataset
from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.datasets.examining import examine
from deepfield_cli.datasets.holding import Holding, look
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.receipt import FileRecord

# same: as it came. changed: other bytes. gone: not there. shape: a copy elsewhere of the right shape.
Verdict = Literal["same", "changed", "gone", "shape"]


@dataclass(frozen=True, slots=True)
class Verified:
    """One file, whether it is as it was, and what it was compared with."""

    dataset: str
    name: str
    verdict: Verdict
    words: str

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict in ("same", "shape")


def verify(dataset: Dataset, *, cache: Path | None = None, listener: Listener | None = None) -> tuple[Verified, ...]:
    """Every file that is here, or the copy elsewhere; nothing if there is none."""
    holding, listener = look(dataset, cache), listener or Listener()
    if holding.receipt.addition is not None:
        return (_addition(holding, holding.receipt.addition.path),)
    return verify_files(holding, listener)


def verify_files(holding: Holding, listener: Listener) -> tuple[Verified, ...]:
    """Every file in the cache."""
    names = [file.name for file in holding.dataset.all_files if os.path.lexists(holding.place.file(file.name))]
    sizes = (_bytes_of(holding.place.file(name)) for name in names)
    listener.on_plan("checking", len(names), sum(sizes))
    return tuple(_read(holding, name, (number, len(names)), listener) for number, name in enumerate(names, start=1))


def _bytes_of(path: Path) -> int:
    try:
        return disk.content_bytes(path)
    except OSError:  # told when it is read
        return 0


def _read(holding: Holding, name: str, count: tuple[int, int], listener: Listener) -> Verified:
    path = holding.place.file(name)
    try:
        size = disk.content_bytes(path)
        listener.on_file(name, *count, size)
        listener.on_step("checking")
        return _file(holding, name, disk.content_digest(path, partial(_tell, listener, size)))
    except OSError as error:
        return Verified(holding.dataset.id, name, "changed", f"cannot be read: {error.strerror}")


def _tell(listener: Listener, size: int, done: int) -> None:
    listener.on_bytes(done, size)


def _file(holding: Holding, name: str, measured: str) -> Verified:
    record = holding.receipt.files.get(name)
    known = next(file.sha256 for file in holding.dataset.all_files if file.name == name)
    if known is None and record is not None:
        known = record.sha256
    if known is None:
        return Verified(holding.dataset.id, name, "changed", "it was not fetched by deepfield; its sha256 is not known")
    if known == measured:
        return Verified(holding.dataset.id, name, "same", f"sha256 {measured[:12]}…, {_known_by(record)}")
    return Verified(holding.dataset.id, name, "changed", f"sha256 is {measured[:12]}… and should be {known[:12]}…")


def _known_by(record: FileRecord | None) -> str:
    words = {"server": "as the server told it", "nobody": "as it was when it came first; the publisher names none"}
    return words.get(record.known_by, "known beforehand") if record else "known beforehand"


def _addition(holding: Holding, path: str) -> Verified:
    if holding.path is None:
        return Verified(holding.dataset.id, path, "gone", "there is nothing at this path any more")
    try:
        return Verified(holding.dataset.id, path, "shape", examine(holding.dataset.shape, holding.path))
    except DatasetError as error:
        return Verified(holding.dataset.id, path, "changed", error.what)
