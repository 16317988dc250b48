"""Proof that the past is as it was written: every hash computed again, every blob unpacked again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deepfield_cli.ledger import blobs
from deepfield_cli.ledger.entry import COLUMNS, GENESIS, SELECT_ENTRIES, chain_hash
from deepfield_cli.ledger.manifest import decode_manifest

NAMED_AT_MOST = 20
"""How many blobs and faults a report names, so that it stays small however large the damage."""


@dataclass(frozen=True, slots=True)
class BadEntry:
    """The first entry at which the chain does not hold, and what does not hold there."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over the whole ledger found."""

    ok: bool
    """Whether everything is as it was written."""
    entries: int
    """How many entries there are."""
    blobs: int
    """How many blobs there are."""
    head: str
    """The hash of the last entry: it stands for the whole chain."""
    first_bad: BadEntry | None
    """The first entry at which the chain does not hold."""
    bad_entries: int
    """At how many entries it does not hold."""
    damaged_blobs: tuple[str, ...]
    """Blobs that are not what was stored, at most 20 named."""
    missing_blobs: tuple[str, ...]
    """Blobs that an entry needs and that are gone, at most 20 named."""
    file_faults: tuple[str, ...]
    """What SQLite finds wrong with the file itself, at most 20 named."""


def verify(connection: sqlite3.Connection) -> ChainReport:
    """Check everything in one consistent view, in constant memory. Damage is reported, not raised."""
    findings = _Findings()
    checks = (_check_file, _check_entries, _check_end, _check_blobs, _check_references, _check_manifests)
    with _one_view(connection), _lenient_text(connection):
        for check in checks:
            try:
                check(connection, findings)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                # What cannot be read ends this check, not the others. (SQLite may quote damaged bytes in its message.)
                _note(findings.file_faults, str(error))
    return findings.report()


@dataclass
class _Findings:
    """What has been found so far; its size does not grow with the ledger."""

    entries: int = 0
    blobs: int = 0
    last_id: int = 0
    head: str = GENESIS
    first_bad: BadEntry | None = None
    bad_entries: int = 0
    damaged_blobs: list[str] = field(default_factory=list)
    missing_blobs: list[str] = field(default_factory=list)
    file_faults: list[str] = field(default_factory=list)

    def blame(self, entry_id: int, reason: str) -> None:
        self.bad_entries += 1
        self.first_bad = self.first_bad or BadEntry(id=entry_id, reason=reason)

    def report(self) -> ChainReport:
        return ChainReport(
            ok=not (self.bad_entries or self.damaged_blobs or self.missing_blobs or self.file_faults),
            entries=self.entries,
            blobs=self.blobs,
            head=self.head,
            first_bad=self.first_bad,
            bad_entries=self.bad_entries,
            damaged_blobs=tuple(self.damaged_blobs),
            missing_blobs=tuple(self.missing_blobs),
            file_faults=tuple(self.file_faults),
        )


def _check_file(connection: sqlite3.Connection, findings: _Findings) -> None:
    """Among other things, that the indexes, from which progress is read, agree with the entries."""
    for (line,) in connection.execute(f"PRAGMA integrity_check({NAMED_AT_MOST})"):
        if line != "ok":
            _note(findings.file_faults, line)


def _check_entries(connection: sqlite3.Connection, findings: _Findings) -> None:
    for row in connection.execute(f"{SELECT_ENTRIES} ORDER BY id"):
        columns: dict[str, object] = dict(zip(COLUMNS, row, strict=True))
        stored = columns.pop("hash")
        reason = _what_is_wrong(columns, stored, findings)
        findings.entries += 1
        findings.last_id = row[0]
        findings.head = str(stored)
        if reason is not None:
            findings.blame(row[0], reason)


def _what_is_wrong(columns: dict[str, object], stored: object, findings: _Findings) -> str | None:
    if columns["id"] != findings.last_id + 1:
        return f"the entries between {findings.last_id} and {columns['id']} are missing"
    if columns["previous"] != findings.head:
        return f"it does not follow entry {findings.last_id}: one of the two was changed"
    try:
        return None if chain_hash(columns) == stored else "it was changed after it was written"
    except (TypeError, ValueError):
        return "it holds a value that no entry can hold"


def _check_end(connection: sqlite3.Connection, findings: _Findings) -> None:
    """Find links cut off at the end: the chain cannot tell, but SQLite remembers the highest id that it gave."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    highest = row[0] if row else 0
    if highest != findings.last_id:
        findings.blame(findings.last_id + 1, f"the entries up to {highest} were removed from the end")


def _check_blobs(connection: sqlite3.Connection, findings: _Findings) -> None:
    for row in connection.execute("SELECT digest, data, checksum FROM blobs ORDER BY rowid"):
        findings.blobs += 1
        try:
            blobs.unpack(*row)
        except blobs.BlobDamagedError:
            _note(findings.damaged_blobs, str(row[0]))


def _check_references(connection: sqlite3.Connection, findings: _Findings) -> None:
    for column in ("payload_digest", "files_digest"):
        missing = connection.execute(
            f"SELECT {column} FROM entries WHERE {column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM blobs WHERE digest = {column}) LIMIT {NAMED_AT_MOST}"
        )
        for (digest,) in missing:
            _note(findings.missing_blobs, str(digest))


def _check_manifests(connection: sqlite3.Connection, findings: _Findings) -> None:
    rows = connection.execute(
        "SELECT digest, data, checksum FROM blobs WHERE digest IN (SELECT files_digest FROM entries)"
    )
    for row in rows:
        try:
            files = decode_manifest(blobs.unpack(*row))
        except (blobs.BlobDamagedError, ValueError):
            _note(findings.damaged_blobs, str(row[0]))
            continue
        for digest in files.values():
            if not blobs.is_stored(connection, digest):
                _note(findings.missing_blobs, digest)


@contextmanager
def _one_view(connection: sqlite3.Connection) -> Iterator[None]:
    """What others append meanwhile is not seen. Ended by ROLLBACK, as COMMIT fails after a damaged page was met."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def _lenient_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Text that is no UTF-8 was tampered with: it must reach the hash, not stop the walk."""
    before = connection.text_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def _note(names: list[str], name: str) -> None:
    if name not in names and len(names) < NAMED_AT_MOST:
        names.append(name)
