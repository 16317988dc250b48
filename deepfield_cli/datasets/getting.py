"""Fetching a dataset into the cache, each file verified before it takes its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deepfield_cli.datasets import disk
from deepfield_cli.datasets.dataset import Dataset, RemoteFile
from deepfield_cli.datasets.errors import DatasetError, NotOffered, writing
from deepfield_cli.datasets.examining import examine
from deepfield_cli.datasets.holding import Holding, look
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.lock import held
from deepfield_cli.datasets.place import Place
from deepfield_cli.datasets.receipt import FileRecord, KnownBy, read_receipt, write_receipt
from deepfield_cli.datasets.transfer import Arrival, Order, Transfer
from deepfield_cli.datasets.unpacking import unpack
from deepfield_cli.datasets.verifying import verify_files


@dataclass(frozen=True)
class Fetched:
    """What a fetch came to: what is here now, and which files of it came just now."""

    holding: Holding
    new: tuple[RemoteFile, ...]


def get(
    dataset: Dataset,
    *,
    cache: Path | None = None,
    first: int | None = None,
    check: bool = False,
    listener: Listener | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch what is missing of the first so many files, or of all; raise DatasetError in one line.

    With ``check``, files that are here are read through, and those that have changed are fetched again. Waits for
    another process that fetches the same dataset, and then takes what that one has fetched.
    """
    listener = listener or Listener()
    wanted = dataset.all_files[:first]
    holding = look(dataset, cache)
    _refuse_lost(holding)
    if holding.state == "added" or (not check and not holding.missing(wanted)):
        return Fetched(holding, ())
    place = holding.place
    disk.make_folder(place.folder)
    waiting = f"another deepfield is fetching {dataset.id}; waiting for it"
    with held(place.lock, lambda: listener.on_note(waiting)), writing(place.folder):
        missing = _missing(look(dataset, cache), wanted, listener, check=check)
        disk.require_room(place.folder, sum(_room(file, place) for file in missing))
        listener.on_plan("fetching", len(missing), sum(_packed_bytes(file) for file in missing))
        for number, file in enumerate(missing, start=1):
            listener.on_file(file.name, number, len(missing), _packed_bytes(file))
            _Fetch(dataset, file, place, listener, pause).run()
    return Fetched(look(dataset, cache), missing)


def _missing(
    holding: Holding, wanted: tuple[RemoteFile, ...], listener: Listener, *, check: bool
) -> tuple[RemoteFile, ...]:
    changed = {one.name for one in verify_files(holding, listener) if not one.is_right} if check else set()
    absent = holding.missing(wanted)
    return tuple(file for file in wanted if file in absent or file.name in changed)


def now() -> str:
    """The moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _refuse_lost(holding: Holding) -> None:
    """A copy elsewhere that went away may come back: whether to fetch it instead is not ours to decide."""
    if holding.state == "lost" and holding.receipt.addition is not None:
        name = holding.dataset.id
        raise DatasetError(
            f"{name} was added from {holding.receipt.addition.path}, which is not there any more",
            fix=f"deepfield data remove {name} forgets that copy; then it can be fetched",
        )


def _packed_bytes(file: RemoteFile) -> int:
    return file.archive.bytes if file.archive else file.bytes


def _room(file: RemoteFile, place: Place) -> int:
    """Bytes that are still to be written for a file."""
    part = place.part(file.name)
    needed = _packed_bytes(file) + (file.bytes if file.archive else 0)
    return max(needed - (part.stat().st_size if part.exists() else 0), 0)


class _Fetch:
    """One file, from its address to its name."""

    def __init__(
        self, dataset: Dataset, file: RemoteFile, place: Place, listener: Listener, pause: Callable[[float], None]
    ) -> None:
        self._dataset = dataset
        self._file = file
        self._place = place
        self._listener = listener
        self._path = place.file(file.name)
        self._transfer = Transfer(self._order(), place.part(file.name), place.notes(file.name), listener, pause)

    def run(self) -> None:
        """Fetch, verify, and give it its name; what is wrong is removed."""
        disk.make_folder(self._path.parent)
        if self._adopt():
            return
        arrival = self._transfer.run()
        try:
            finished = self._unpacked() if self._file.archive else self._place.part(self._file.name)
            record = self._verified(finished, arrival)
        except DatasetError as error:
            disk.remove(self._place.unpacked(self._file.name))
            if isinstance(error, NotOffered):
                self._transfer.discard()
            raise
        self._finish(finished, record)

    def _order(self) -> Order:
        file = self._file
        if file.archive:  # how it is packed may change; what is in it may not
            return Order(file.name, file.urls, None, None)
        return Order(file.name, file.urls, file.bytes, file.sha256)

    def _adopt(self) -> bool:
        """Take a file that has the right name already, if it is known beforehand what it must be."""
        if self._file.sha256 is None or not self._path.exists():
            return False
        self._listener.on_step("checking")
        if disk.content_digest(self._path) != self._file.sha256:
            return False
        self._record(FileRecord(disk.content_bytes(self._path), self._file.sha256, "beforehand", "", now()))
        return True

    def _unpacked(self) -> Path:
        file, target = self._file, self._place.unpacked(self._file.name)
        assert file.archive is not None
        self._listener.on_step("unpacking")
        disk.remove(target)
        unpack(self._place.part(file.name), file.archive, target, limit=file.bytes)
        return target

    def _verified(self, finished: Path, arrival: Arrival) -> FileRecord:
        """The record of what came; raise NotOffered if it is not what was known beforehand or recorded before."""
        measured = disk.content_digest(finished) if self._file.archive else arrival.sha256
        told = None if self._file.archive else arrival.told
        known_by: KnownBy = "beforehand" if self._file.sha256 else "server" if told else "nobody"
        if self._file.sha256 not in (None, measured):
            raise NotOffered(f"what is in the archive is not {self._file.name} (another sha256)", where=arrival.url)
        if known_by != "beforehand":
            self._compare_with_before(measured, arrival.url)
            self._examine(finished, arrival.url)
        return FileRecord(disk.content_bytes(finished), measured, known_by, arrival.url, now())

    def _compare_with_before(self, measured: str, url: str) -> None:
        before = read_receipt(self._place.receipt).files.get(self._file.name)
        if before is not None and before.sha256 != measured:
            raise NotOffered(
                f"{self._file.name} is not what came from there on {before.at[:10]} (another sha256)",
                where=url,
                fix=f"if the publisher has replaced it: deepfield data remove --forget {self._dataset.id}",
            )

    def _examine(self, finished: Path, url: str) -> None:
        """Nobody knows its digest: it must at least look like what it is."""
        try:
            examine(self._dataset.shape, finished)
        except DatasetError as error:
            raise NotOffered(f"what came is not {self._file.name}: {error.what}", where=url) from error

    def _finish(self, finished: Path, record: FileRecord) -> None:
        """Whoever is killed in between leaves either nothing under the name, or the file and its record."""
        disk.settle(finished)
        disk.remove(self._path)
        self._record(record)
        with writing(self._path):
            finished.rename(self._path)
        disk.settle_folder(self._path.parent)
        self._transfer.discard()

    def _record(self, record: FileRecord) -> None:
        receipt = read_receipt(self._place.receipt)
        write_receipt(self._place.receipt, receipt.with_file(self._file.name, record))
