"""Opening the SQLite file: who may create it, who only reads it, and how long we wait for another process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from deepfield_cli.ledger.errors import BUSY_CODES, LedgerReadOnly, primary_code

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 30.0
"""A writer holds the lock for milliseconds; whoever still has it after this is stuck."""

# SQLite waits inside C, where Ctrl-C is not heard: it waits briefly, and `patiently` repeats.
_LOCK_WAIT_SECONDS = 0.2
_PAUSE_SECONDS = 0.02


def connect_to_write(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a connection whose commits end when the disk has confirmed them. Raises sqlite3.Error."""
    connection = _connect(path, "rwc" if create else "rw")
    try:
        connection.execute("PRAGMA synchronous = FULL")
        _probe(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a connection that changes nothing, even where the folder cannot be written.

    Raises sqlite3.Error, or LedgerReadOnly if entries sit in a log that only someone who may write can fold in.
    """
    connection = _connect(path, "rw")
    try:
        connection.execute("PRAGMA query_only = ON")
        _probe(connection)
    except sqlite3.Error as error:
        connection.close()
        # SQLITE_IOERR too: on a disk without a free byte the file that readers share cannot be made
        if primary_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR):
            raise
        return _connect_to_read_in_place(path)
    except BaseException:
        connection.close()
        raise
    return connection


def patiently(action: Callable[[], Answer]) -> Answer:
    """Repeat what another process stands in the way of, until it works or our patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if primary_code(error) not in BUSY_CODES or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. IMMEDIATE: what is read inside cannot be overtaken by another writer."""
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        patiently(lambda: connection.execute("COMMIT"))
    except BaseException:
        # SQLite has already rolled back after some errors (a full disk among them).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect_to_read_in_place(path: Path) -> sqlite3.Connection:
    """Read a file beside which nothing can be created, which write-ahead logging would need."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > 0:
        raise LedgerReadOnly(
            f"the newest entries are still in {log.name}, and nothing can be written beside it",
            where=str(path),
            fix="free some space if the disk is full; else copy the folder to a place where you may write",
        )
    connection = _connect(path, "ro", "&immutable=1")
    try:
        _probe(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str, extra: str = "") -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}{extra}"
    connection = sqlite3.connect(address, uri=True, timeout=_LOCK_WAIT_SECONDS, isolation_level=None)
    # A ledger may come from a stranger: its schema may not call anything but plain functions.
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _probe(connection: sqlite3.Connection) -> None:
    """Touch the file: SQLite opens it only when it is first read."""
    patiently(lambda: connection.execute("SELECT count(*) FROM sqlite_master").fetchone())
