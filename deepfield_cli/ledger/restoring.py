"""Writing a whole record back as it was: the same entries, hashes and blobs, into a ledger that does not exist yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from deepfield_cli.ledger import blobs
from deepfield_cli.ledger.chain import ChainReport
from deepfield_cli.ledger.connection import transaction
from deepfield_cli.ledger.entry import COLUMNS, Entry
from deepfield_cli.ledger.errors import explained
from deepfield_cli.ledger.ledger import Ledger
from deepfield_cli.ledger.opening import open_to_write

_INSERT = f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def restore_ledger(path: Path, entries: Iterable[Entry], contents: Iterable[bytes]) -> ChainReport:
    """Create a ledger of these entries and blobs in one transaction, and prove it; the triggers refuse a broken chain.

    Raises LedgerError if it cannot be written, FileExistsError if there is one already.
    """
    if path.exists():
        raise FileExistsError(path)
    with explained(path, writing=True):
        connection = open_to_write(path, create=True)
        try:
            with transaction(connection):
                for content in contents:
                    blobs.put(connection, blobs.pack(connection, [content]))
                connection.executemany(_INSERT, map(_row, entries))
        finally:
            connection.close()
    with Ledger.open(path, create=False, write=False) as ledger:
        return ledger.verify()


def _row(entry: Entry) -> list[object]:
    columns = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    if entry.solved is not None:
        columns["solved"] = int(entry.solved)
    return [columns[name] for name in COLUMNS]
