"""Every version that was ever shipped can still be opened, and a step that fails changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.ledger import Ledger, LedgerCorrupt
from deepfield_cli.ledger.schema import APPLICATION_ID, MIGRATIONS, Migration

SHIPPED = Path(__file__).with_name("shipped")


def restore(path: Path, version: int) -> None:
    """Make the ledger as that version left it, from its dump."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((SHIPPED / f"version_{version}.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")


def test_the_steps_are_numbered_without_gaps() -> None:
    assert [step.number for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
@pytest.mark.parametrize("write", [True, False])
def test_a_ledger_of_every_shipped_version_opens_and_proves_true(path: Path, version: int, write: bool) -> None:
    restore(path, version)
    with Ledger.open(path, create=False, write=write) as ledger:
        assert ledger.verify().ok
        first, second, hint = ledger.walk_entries()
        assert ledger.payload(second) == {"metric": 0.5, "words": "états"}
        assert ledger.files(first) == {"bpe.py": b"raise NotImplementedError\n", "data/merges.bin": bytes(range(256))}
        assert (second.solved, second.score, hint.kind) == (True, 1.0, "hint")
        assert [item.attempts for item in ledger.progress()] == [2]
    with Ledger.open(path) as ledger:
        ledger.append("note", {})
        assert ledger.verify().ok


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_migrated_ledger_has_the_schema_of_a_new_one(path: Path, version: int) -> None:
    new = path.with_name("new.db")
    restore(path, version)
    for one in (path, new):
        Ledger.open(one).close()
    assert schema_of(path) == schema_of(new)


def schema_of(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        marks = [
            connection.execute(f"PRAGMA {name}").fetchone()
            for name in ("application_id", "user_version", "journal_mode")
        ]
        assert marks[0] == (APPLICATION_ID,)
        assert marks[2] == ("wal",)
        parts = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    # Releases of sqlite-utils differ in how they quote and indent.
    return [*marks, *((kind, name, re.sub(r'["\s\[\]]', "", sql or "")) for kind, name, sql in parts)]


def with_steps(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[Any], None]) -> None:
    numbered = (Migration(len(MIGRATIONS) + number, step) for number, step in enumerate(steps, start=1))
    monkeypatch.setattr("deepfield_cli.ledger.schema.MIGRATIONS", (*MIGRATIONS, *numbered))


def add_note(database: Any) -> None:
    database.table("entries").add_column("note", str)


def index_notes(database: Any) -> None:
    database.table("entries").create_index(["note"], "entries_by_note")


def fail_half_way(database: Any) -> None:
    database.table("entries").add_column("half", str)
    database.execute("INSERT INTO no_such_table VALUES (1)")


@pytest.mark.parametrize("write", [True, False])
def test_later_steps_run_in_order_and_keep_the_chain(path: Path, monkeypatch: pytest.MonkeyPatch, write: bool) -> None:
    restore(path, 1)
    with_steps(monkeypatch, add_note, index_notes)
    with Ledger.open(path, create=False, write=write) as ledger:
        assert ledger.verify().ok
        assert ledger.count() == 3
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 2,)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'entries_by_note'").fetchone() == (
            1,
        )


def test_a_step_that_fails_leaves_the_version_before_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(path, 1)
    with monkeypatch.context() as patch:
        with_steps(patch, add_note, fail_half_way)
        with pytest.raises(LedgerCorrupt, match="no_such_table"):
            Ledger.open(path)
        with_steps(patch, add_note)
        with Ledger.open(path) as ledger:
            assert ledger.verify().ok
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(entries)")]
        assert "note" in columns
        assert "half" not in columns


def test_steps_that_another_process_has_applied_meanwhile_are_not_applied_again(path: Path) -> None:
    from deepfield_cli.ledger.connection import connect_to_write
    from deepfield_cli.ledger.migrations import migrate

    path.parent.mkdir()
    with closing(connect_to_write(path, create=True)) as late:
        with Ledger.open(path) as ledger:
            ledger.append("note", {})
        migrate(late, MIGRATIONS)
    with Ledger.open(path) as ledger:
        assert ledger.count() == 1
        assert ledger.verify().ok
