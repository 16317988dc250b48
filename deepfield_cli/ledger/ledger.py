"""The one door to the record: open it, append to it, ask it, prove it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import blobs, chain
from deepfield_cli.ledger.connection import transaction
from deepfield_cli.ledger.draft import insert, timestamp, write_draft
from deepfield_cli.ledger.entry import SELECT_ENTRIES, Entry, Moment, entry_from_row
from deepfield_cli.ledger.errors import REBUILD, LedgerCorrupt, explained, explained_around
from deepfield_cli.ledger.manifest import decode_manifest
from deepfield_cli.ledger.opening import open_to_read, open_to_write
from deepfield_cli.ledger.progress import ProblemProgress, read_progress
from deepfield_cli.ledger.recovery import set_aside

LARGEST_ID = 2**63 - 1
UNLIMITED = -1


class Ledger:
    """An open ledger. It belongs to the thread and the process that opened it; others open their own."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, writable: bool) -> None:
        """Use `Ledger.open`."""
        self.path = path
        self._connection = connection
        self._writable = writable

    @classmethod
    def open(cls, path: Path | str, create: bool = True, *, write: bool = True) -> Ledger:
        """Open the ledger at this path; with `write=False` to read only, and then nothing is created.

        Raises LedgerError if it is missing, damaged, from a newer version or may not be written; it is left as it is.
        """
        path = Path(path)
        connection = open_to_write(path, create=create) if write else open_to_read(path)
        return cls(path, connection, writable=write)

    @classmethod
    def recover(cls, path: Path | str) -> Path:
        """Set a damaged ledger aside and start an empty one; returns where the damaged one is now.

        Raises LedgerError, and moves nothing, if the ledger is sound, missing or from a newer version.
        """
        path = Path(path)
        try:
            with cls.open(path, create=False) as ledger:
                is_sound = ledger.verify().ok
        except LedgerCorrupt:
            is_sound = False
        if is_sound:
            raise LedgerError("the ledger is sound: there is nothing to rebuild", where=str(path))
        aside = set_aside(path)
        cls.open(path).close()
        return aside

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Writing

    def append(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        problem: str | None = None,
        rung: str | None = None,
        solved: bool | None = None,
        score: float | None = None,
        files: Mapping[str, bytes] | None = None,
        at: datetime | None = None,
    ) -> Entry:
        """Add one entry with its payload and files (relative path to content); once this returns, it is on the disk.

        `at` is now unless given. Raises LedgerError if it cannot be written, ValueError for what no entry can hold.
        """
        draft = write_draft(kind, payload, problem=problem, rung=rung, solved=solved, score=score, files=files, at=at)
        with explained(self.path, writing=True):
            packed = blobs.pack(self._connection, draft.contents)
            with self._write_lock():
                blobs.put(self._connection, packed)
                return insert(self._connection, draft.columns)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Everything appended inside is committed together or not at all; other writers wait until it ends."""
        with explained_around(self.path, writing=True), self._write_lock():
            yield

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        if not self._writable:
            raise ValueError("this ledger was opened for reading only")
        if self._connection.in_transaction:
            yield
            return
        with transaction(self._connection):
            yield

    # Reading one thing

    def entry(self, number: int) -> Entry:
        """Return the entry with this id. Raises LedgerError if there is none."""
        row = None
        if 0 < number <= LARGEST_ID:
            with explained(self.path, writing=False):
                row = self._connection.execute(f"{SELECT_ENTRIES} WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise LedgerError(f"there is no entry {number}", where=str(self.path), fix="`deepfield history` lists them")
        return self._entry(row)

    def payload(self, entry: Entry) -> dict[str, Any]:
        """Return what was recorded with the entry. Raises LedgerCorrupt if it is not what was stored."""
        content = self.blob(entry.payload_digest)
        try:
            payload: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise self._damaged(f"entry {entry.id}: its payload is no JSON") from error
        return payload

    def files(self, entry: Entry) -> dict[str, bytes]:
        """Return the files kept with the entry, relative path to content; empty if none were.

        Raises LedgerCorrupt if they are not what was stored, or if a path would lead outside a folder.
        """
        if entry.files_digest is None:
            return {}
        try:
            manifest = decode_manifest(self.blob(entry.files_digest))
        except ValueError as error:
            raise self._damaged(f"entry {entry.id}: {error}") from error
        return {path: self.blob(digest) for path, digest in manifest.items()}

    def blob(self, digest: str) -> bytes:
        """Return the content of this name. Raises LedgerCorrupt if it is missing or is not what was stored."""
        try:
            with explained(self.path, writing=False):
                return blobs.get(self._connection, digest)
        except blobs.BlobDamagedError as error:
            raise self._damaged(f"blob {digest[:12]}… {error}") from error

    # Asking

    def entries(
        self,
        kind: str | None = None,
        problem: str | None = None,
        limit: int | None = None,
        newest_first: bool = True,
    ) -> list[Entry]:
        """List the entries of this kind and problem, at most `limit` of them."""
        where, values = _condition(kind, problem)
        order = "DESC" if newest_first else "ASC"
        query = f"{SELECT_ENTRIES}{where} ORDER BY id {order} LIMIT ?"
        bound = (*values, UNLIMITED if limit is None else limit)
        with explained(self.path, writing=False):
            return [self._entry(row) for row in self._connection.execute(query, bound)]

    def count(self, kind: str | None = None, problem: str | None = None) -> int:
        """How many entries of this kind and problem there are."""
        where, values = _condition(kind, problem)
        with explained(self.path, writing=False):
            number: int = self._connection.execute(f"SELECT count(*) FROM entries{where}", values).fetchone()[0]
        return number

    def progress(self) -> list[ProblemProgress]:
        """One item per problem and rung that was ever attempted."""
        with explained(self.path, writing=False):
            return read_progress(self._connection)

    def moments(self, since: str = "") -> Iterator[Moment]:
        """Kind, time and problem of the entries since a time in UTC, newest first; read no further than is asked."""
        query = "SELECT kind, at, problem FROM entries WHERE at >= ? ORDER BY id DESC"
        with explained(self.path, writing=False):
            for row in self._connection.execute(query, (since,)):
                yield Moment(*row)

    def any_between(self, kinds: Collection[str], since: datetime, until: datetime) -> bool:
        """Whether there is an entry of one of these kinds from the first moment on and before the second."""
        query = "SELECT EXISTS (SELECT 1 FROM entries WHERE kind = ? AND at >= ? AND at < ?)"
        edges = (timestamp(since), timestamp(until))
        with explained(self.path, writing=False):
            return any(self._connection.execute(query, (kind, *edges)).fetchone()[0] for kind in kinds)

    # Everything

    def walk_entries(self) -> Iterator[Entry]:
        """Every entry, oldest first, one at a time. Walk the entries before the blobs to have all that they need."""
        with explained(self.path, writing=False):
            for row in self._connection.execute(f"{SELECT_ENTRIES} ORDER BY id"):
                yield self._entry(row)

    def walk_blobs(self) -> Iterator[blobs.Blob]:
        """Every payload, manifest and file, one at a time, each proved. Raises LedgerCorrupt at a damaged one."""
        try:
            with explained(self.path, writing=False):
                yield from blobs.walk(self._connection)
        except blobs.BlobDamagedError as error:
            raise self._damaged(f"a blob {error}") from error

    def verify(self) -> chain.ChainReport:
        """Compute every hash again and unpack every blob again; damage is reported, not raised."""
        with explained(self.path, writing=False):
            return chain.verify(self._connection)

    def _entry(self, row: Sequence[object]) -> Entry:
        try:
            return entry_from_row(row)
        except ValueError as error:
            raise self._damaged(f"entry {row[0]} holds a value that no entry can hold") from error

    def _damaged(self, what: str) -> LedgerCorrupt:
        return LedgerCorrupt(f"the ledger is damaged ({what})", where=str(self.path), fix=REBUILD)


def _condition(kind: str | None, problem: str | None) -> tuple[str, tuple[str, ...]]:
    wanted = {"kind": kind, "problem": problem}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given)
    return (f" WHERE {where}" if given else ""), tuple(given.values())
