"""Pointing at a copy of a dataset that is there already: looked at, never copied or changed."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.datasets import disk
from deepfield_cli.datasets.dataset import Dataset, RemoteFile
from deepfield_cli.datasets.errors import DatasetError, reading
from deepfield_cli.datasets.examining import examine
from deepfield_cli.datasets.getting import now
from deepfield_cli.datasets.holding import Holding, look
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.lock import held_at_once
from deepfield_cli.datasets.receipt import Addition, read_receipt, write_receipt

# Reading more than this through would keep somebody waiting who only said where something is.
_READ_THROUGH_BYTES = 2_000_000_000


def add(dataset: Dataset, path: Path, *, cache: Path | None = None, listener: Listener | None = None) -> Holding:
    """Record where a copy is, after a look into it; raise DatasetError if it is not this dataset."""
    listener = listener or Listener()
    path = path.expanduser().absolute()
    _require_kind(dataset, path)
    found = examine(dataset.shape, path)
    place = look(dataset, cache).place
    if path.resolve().is_relative_to(place.folder.resolve()):
        raise DatasetError(
            "this is the cache itself", where=str(path), fix=f"deepfield data get {dataset.id} looks after it"
        )
    with reading(path):
        published = _is_published(dataset, path, listener)
    addition = Addition(str(path), found, published, now())
    disk.make_folder(place.folder)
    with held_at_once(place.lock, dataset.id):
        write_receipt(place.receipt, read_receipt(place.receipt).with_addition(addition))
    return look(dataset, cache)


def _require_kind(dataset: Dataset, path: Path) -> None:
    if not path.exists():
        raise DatasetError("there is nothing", where=str(path), fix="check the path")
    if dataset.kind == "file" and not path.is_file():
        raise DatasetError(f"{dataset.id} is one file, and this is a folder", where=str(path), fix="name the file")
    if dataset.kind == "folder" and not path.is_dir():
        raise DatasetError(f"{dataset.id} is a folder, and this is a file", where=str(path), fix="name its folder")


def _is_published(dataset: Dataset, path: Path, listener: Listener) -> bool | None:
    """Whether it is byte for byte what the publisher offers; None where nobody knows, or it is too much to read."""
    pairs = [(file, path if dataset.kind == "file" else path / file.name) for file in dataset.all_files]
    if any(file.sha256 is None for file, _ in pairs):
        return None
    if not all(copy.exists() for _, copy in pairs) or any(_size_differs(file, copy) for file, copy in pairs):
        return False
    if dataset.bytes > _READ_THROUGH_BYTES:
        return None
    listener.on_step("checking")
    return all(disk.content_digest(copy) == file.sha256 for file, copy in pairs)


def _size_differs(file: RemoteFile, copy: Path) -> bool:
    return disk.content_bytes(copy) != file.bytes
