"""From a path to a connection on a ledger of the right version, or to one line that says why not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import schema
from deepfield_cli.ledger.connection import connect_to_read, connect_to_write, transaction
from deepfield_cli.ledger.errors import LedgerMissing, LedgerReadOnly, explained
from deepfield_cli.ledger.migrations import migrate, pending


def open_to_write(path: Path, *, create: bool) -> sqlite3.Connection:
    """Create the file if asked, bring it up to date, and make sure that it can be written."""
    _refuse_what_is_no_file(path)
    if not path.exists():
        _prepare_folder(path, create=create)
    with explained(path, writing=True):
        connection = connect_to_write(path, create=create)
        try:
            steps = pending(connection, schema.MIGRATIONS, path)
            if steps:
                migrate(connection, steps)
            else:
                _prove_writable(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open without the right or the need to write; an older file is brought up to date first, if that may be done."""
    _refuse_what_is_no_file(path)
    if not path.exists():
        _refuse_missing(path)
    with explained(path, writing=False):
        connection = connect_to_read(path)
        try:
            steps = pending(connection, schema.MIGRATIONS, path)
        except BaseException:
            connection.close()
            raise
    if not steps:
        return connection
    connection.close()
    _bring_up_to_date(path)
    return open_to_read(path)


def _bring_up_to_date(path: Path) -> None:
    try:
        open_to_write(path, create=False).close()
    except LedgerReadOnly as error:
        what = "the ledger is empty or has an older format, and cannot be brought up to date here"
        raise LedgerReadOnly(what, where=error.where, fix=error.fix) from error


def _prove_writable(connection: sqlite3.Connection) -> None:
    """Write nothing, as only a write shows whether we may; better known before an hour of grading than after it."""
    with transaction(connection):
        connection.execute("INSERT INTO blobs SELECT * FROM blobs WHERE FALSE")


def _refuse_what_is_no_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        what = "there is a folder where the ledger should be" if path.is_dir() else "the ledger is not a plain file"
        raise LedgerError(what, where=str(path), fix="move it away, then run the command again")


def _refuse_missing(path: Path) -> None:
    raise LedgerMissing("there is no ledger yet", where=str(path), fix="`deepfield init` makes one")


def _prepare_folder(path: Path, *, create: bool) -> None:
    if not create:
        _refuse_missing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerReadOnly(
            f"the folder for the ledger cannot be made ({error.strerror})",
            where=str(path.parent),
            fix="check who owns the folder above it, and its permissions",
        ) from error
