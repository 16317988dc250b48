"""Bringing a ledger to the version that this program knows, one transaction per step."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deepfield_cli.ledger.connection import patiently, transaction
from deepfield_cli.ledger.errors import REBUILD, LedgerCorrupt, LedgerTooNew
from deepfield_cli.ledger.schema import APPLICATION_ID, Migration


class Format(NamedTuple):
    """What the file says about itself."""

    version: int
    application_id: int
    tables: int


def pending(connection: sqlite3.Connection, migrations: Sequence[Migration], path: Path) -> list[Migration]:
    """List the steps that this file still lacks; nothing is written.

    Raises LedgerTooNew for a file from a newer version, LedgerCorrupt for a database that is not a ledger.
    """
    found, known = read_format(connection), migrations[-1].number
    is_fresh = found.version == 0 and found.tables == 0
    if not is_fresh and found.application_id != APPLICATION_ID:
        what = "this is an SQLite database, but not a ledger of deepfield"
        raise LedgerCorrupt(what, where=str(path), fix=REBUILD)
    if found.version > known:
        raise LedgerTooNew(
            f"the ledger has format {found.version}; this deepfield knows formats up to {known}",
            where=str(path),
            fix="upgrade deepfield; the file was left as it is",
        )
    return [migration for migration in migrations if migration.number > found.version]


def read_format(connection: sqlite3.Connection) -> Format:
    """Read in one statement, so that a migration by another process is seen whole or not at all."""
    row = connection.execute(
        "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    return Format(*row)


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration]) -> None:
    """Apply the steps that no other process has applied meanwhile."""
    # Kept in the file for good. Where it cannot be had (some network disks), SQLite stays with its rollback journal,
    # which is as safe and only slower.
    patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
    for step in steps:
        _apply(connection, step)


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    # Imported here: it brings numpy, and most commands never migrate. Only from 4.0 on does it keep to the transaction
    # in which it is called; before that, `create` committed half a step.
    from sqlite_utils import Database

    with transaction(connection):
        if read_format(connection).version >= step.number:
            return
        step.apply(Database(connection, execute_plugins=False))
        connection.execute(f"PRAGMA user_version = {step.number}")
