"""The tables as they were first made, and every numbered step since; a step that was released is never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from deepfield_cli.ledger.entry import GENESIS
from deepfield_cli.ledger.progress import COUNTED

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x64666C64
"""Marks the file as deepfield's ("dfld"), so that another program's database is never taken for a ledger."""


class Migration(NamedTuple):
    """One step: it runs whole, in its own transaction, or not at all."""

    number: int
    apply: Callable[[Database], None]


# AUTOINCREMENT remembers the highest id ever given, so entries cut off at the end are missed.
_ENTRIES = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    problem TEXT,
    rung TEXT,
    solved INTEGER CHECK (solved IN (0, 1)),
    score REAL,
    payload_digest TEXT NOT NULL,
    files_digest TEXT,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    CHECK (kind <> 'attempt' OR (problem IS NOT NULL AND rung IS NOT NULL AND (solved IS NULL) = (score IS NULL)))
)
"""

_INDEXES = (
    "CREATE INDEX entries_by_kind ON entries (kind)",
    "CREATE INDEX entries_by_problem ON entries (problem)",
    "CREATE INDEX entries_by_kind_and_problem ON entries (kind, problem)",
    f"CREATE INDEX attempts_by_score ON entries (problem, rung, score) WHERE {COUNTED}",
    f"CREATE INDEX attempts_by_solved ON entries (problem, rung, solved) WHERE {COUNTED}",
)

# INSERT OR REPLACE deletes without telling the delete trigger; the two insert triggers stop it.
_TRIGGERS = (
    """CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry is never changed'); END""",
    """CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry is never removed'); END""",
    f"""CREATE TRIGGER entries_continue_the_chain BEFORE INSERT ON entries
    WHEN NEW.id IS NOT coalesce((SELECT max(id) FROM entries), 0) + 1
        OR NEW.previous IS NOT coalesce((SELECT hash FROM entries ORDER BY id DESC LIMIT 1), '{GENESIS}')
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry must follow the last one'); END""",
    """CREATE TRIGGER blobs_are_never_changed BEFORE UPDATE ON blobs
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a blob is never changed'); END""",
    """CREATE TRIGGER blobs_are_never_removed BEFORE DELETE ON blobs
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a blob is never removed'); END""",
    """CREATE TRIGGER blobs_are_stored_once BEFORE INSERT ON blobs
    WHEN EXISTS (SELECT 1 FROM blobs WHERE digest = NEW.digest)
    BEGIN SELECT RAISE(IGNORE); END""",
)


def create_entries_and_blobs(database: Database) -> None:
    """Version 1: the two tables, what answers the queries, and what refuses to change the past."""
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(_ENTRIES)
    columns = {"digest": str, "data": bytes, "checksum": int}
    database.table("blobs").create(columns, pk="digest", not_null={"data", "checksum"})
    for statement in (*_INDEXES, *_TRIGGERS):
        database.execute(statement)


def index_times(database: Database) -> None:
    """Version 2: whether something was done on a day is one look, however long the record is."""
    database.execute("CREATE INDEX entries_by_kind_and_time ON entries (kind, at)")


MIGRATIONS: tuple[Migration, ...] = (Migration(1, create_entries_and_blobs), Migration(2, index_times))
