"""What can be wrong with progress.db, each said in one line that names the file and what to do about it.

LedgerError
├── LedgerMissing     there is no file yet
├── LedgerCorrupt     the file is damaged, or is not a ledger; it is left as it is
├── LedgerTooNew      a newer deepfield wrote it; it is left as it is
├── LedgerReadOnly    the file or its folder cannot be opened or written
├── LedgerFull        the disk refused the write; what was recorded before is kept
└── LedgerBusy        another process held it for too long
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfield_cli.errors import LedgerError

REBUILD = "it was left as it is; `deepfield init --rebuild-ledger` sets it aside and starts a new one"


class LedgerMissing(LedgerError):
    """There is no ledger at this path."""


class LedgerCorrupt(LedgerError):
    """The file is damaged, or is not a ledger of deepfield."""


class LedgerTooNew(LedgerError):
    """The file has a format that this version does not know."""


class LedgerReadOnly(LedgerError):
    """The file, or the folder that holds it, cannot be opened or written."""


class LedgerFull(LedgerError):
    """The disk refused to take the entry; nothing that was there before is lost."""


class LedgerBusy(LedgerError):
    """Another process held the ledger for longer than we wait."""


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's own code without its extension; None where Python's wrapper raised the error itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def explained(path: Path, *, writing: bool) -> Iterator[None]:
    """Turn SQLite's errors into ledger errors; one that only a bug of ours can cause is left alone."""
    try:
        with explained_around(path, writing=writing):
            yield
    except UnicodeDecodeError as error:
        # SQLite quotes a damaged schema in its message, in bytes that Python cannot read as text.
        raise LedgerCorrupt("the ledger is damaged (its schema is no text)", where=str(path), fix=REBUILD) from error


@contextmanager
def explained_around(path: Path, *, writing: bool) -> Iterator[None]:
    """Like `explained`, around code of others: what is not of SQLite's own kind is theirs."""
    try:
        yield
    except sqlite3.Error as error:
        failure = _explain(error, path, writing=writing)
        if failure is None:
            raise
        raise failure from error


def _explain(error: sqlite3.Error, path: Path, *, writing: bool) -> LedgerError | None:
    code, where = primary_code(error), str(path)
    if code in _CORRUPT or _is_undecodable(error):
        return LedgerCorrupt(f"the ledger is damaged or is no ledger ({error})", where=where, fix=REBUILD)
    if writing and code in _REFUSED:
        return LedgerFull(
            f"the disk refused the write ({error}); everything recorded before is kept",
            where=where,
            fix="free some space, then run the command again",
        )
    if code in _REFUSED:
        return LedgerReadOnly(
            f"the ledger cannot be read: the disk refuses ({error})",
            where=where,
            fix="free some space if the disk is full; if it is not, look whether it is sound",
        )
    if code in _READ_ONLY:
        return LedgerReadOnly(
            f"the ledger cannot be {'written' if writing else 'read'} ({error})",
            where=where,
            fix="check who owns the file and its folder, and their permissions",
        )
    if code in _BUSY:
        return LedgerBusy(
            "another process is writing the ledger and did not finish",
            where=where,
            fix="wait for the other deepfield to end, then run the command again",
        )
    return None


def _is_undecodable(error: sqlite3.Error) -> bool:
    """Text that is no UTF-8 is found by Python's wrapper, which gives no code."""
    return primary_code(error) is None and "decode" in str(error)


# SQLITE_ERROR is among them because our SQL is fixed: "no such table" can only mean that the schema was altered.
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)
# A quota or a file-size limit reaches us as an I/O error, a full disk as SQLITE_FULL.
_REFUSED = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
# SQLITE_PROTOCOL is a lost race for the write-ahead log.
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
BUSY_CODES = _BUSY
