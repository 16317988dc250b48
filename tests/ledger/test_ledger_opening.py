"""Whatever lies at the path: it opens, or one clear line says why not, and the file is as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import deepfield_cli
from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import Ledger, LedgerBusy, LedgerCorrupt, LedgerFull, LedgerMissing, LedgerTooNew


def fill(path: Path, entries: int = 3) -> None:
    with Ledger.open(path) as ledger:
        for number in range(entries):
            ledger.append(
                "attempt", {"n": number}, problem="p/q", rung="core", solved=True, score=1.0, files={"a": b"1"}
            )


@pytest.mark.parametrize("write", [True, False])
def test_a_missing_ledger_is_not_made_unless_asked(path: Path, write: bool) -> None:
    with pytest.raises(LedgerMissing, match=r"progress\.db: there is no ledger yet — `deepfield init` makes one"):
        Ledger.open(path, create=False, write=write)
    with pytest.raises(LedgerMissing):
        Ledger.open(path, write=False)
    assert not path.parent.exists()


def test_a_ledger_leaves_one_file_behind(path: Path) -> None:
    fill(path)
    assert [file.name for file in path.parent.iterdir()] == ["progress.db"]


def test_a_path_with_every_odd_character(tmp_path: Path) -> None:
    path = tmp_path / "a ?b#c%20é'\udcff" / "progress.db"
    fill(path)
    with Ledger.open(path, write=False) as ledger:
        assert ledger.verify().entries == 3


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("progress.db"))
    assert (tmp_path / "progress.db").is_file()


def test_a_reader_cannot_append(path: Path) -> None:
    fill(path)
    with Ledger.open(path, write=False) as ledger:
        with pytest.raises(ValueError, match="reading only"):
            ledger.append("note", {})
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            ledger._connection.execute("INSERT INTO blobs SELECT * FROM blobs WHERE FALSE")


@pytest.mark.parametrize("write", [True, False])
def test_an_empty_file_is_a_new_ledger(path: Path, write: bool) -> None:
    path.parent.mkdir()
    path.touch()
    with Ledger.open(path, write=write) as ledger:
        assert ledger.entries() == []
    fill(path)


@pytest.mark.parametrize("write", [True, False])
def test_a_folder_in_its_place(path: Path, write: bool) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LedgerError, match="there is a folder where the ledger should be"):
        Ledger.open(path, write=write)
    with pytest.raises(LedgerError, match="there is a folder where the ledger should be"):
        Ledger.recover(path)


def test_a_pipe_in_its_place_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(LedgerError, match="not a plain file"):
        Ledger.open(path)


@pytest.mark.parametrize("content", [b"xy", b"hello\n", b"my notes\n" * 900, b"SQLite format 3\0", bytes(5000)])
@pytest.mark.parametrize("write", [True, False])
def test_a_file_that_is_no_ledger_is_named_and_left_as_it_is(path: Path, content: bytes, write: bool) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerCorrupt, match=r"progress\.db: .* it was left as it is; `deepfield init --rebuild"):
        Ledger.open(path, write=write)
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["progress.db"]


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(LedgerCorrupt, match="an SQLite database, but not a ledger"):
        Ledger.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("write", [True, False])
def test_a_ledger_from_a_newer_version_is_left_as_it_is(path: Path, write: bool) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(LedgerTooNew, match=r"has format 999; this deepfield knows formats up to \d+ — upgrade"):
        Ledger.open(path, write=write)
    with pytest.raises(LedgerTooNew):
        Ledger.recover(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["progress.db"]


@pytest.mark.parametrize("write", [True, False])
def test_a_file_cut_short_is_reported_not_repaired(path: Path, write: bool) -> None:
    fill(path)
    cut = path.read_bytes()[:9000]
    path.write_bytes(cut)
    with pytest.raises(LedgerCorrupt, match=str(path)), Ledger.open(path, write=write) as ledger:
        ledger.entries()
    assert path.read_bytes() == cut


def test_reading_a_damaged_page_is_one_clear_line_and_verify_reports_it(path: Path) -> None:
    fill(path, 200)
    content = bytearray(path.read_bytes())
    content[-4096 * 20 :] = b"\xff" * (4096 * 20)
    path.write_bytes(content)
    with Ledger.open(path, write=False) as ledger:
        report = ledger.verify()
        assert not report.ok
        assert report.file_faults
        with pytest.raises(LedgerCorrupt, match="damaged"):
            [ledger.payload(entry) for entry in ledger.walk_entries()]


def test_recovery_sets_the_damaged_file_aside_and_starts_a_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a ledger" * 99)
    aside = Ledger.recover(path)
    assert aside.parent == path.parent
    assert aside.name.startswith("progress.db.corrupt-")
    assert aside.read_bytes() == b"not a ledger" * 99
    with Ledger.open(path, create=False) as ledger:
        assert ledger.entries() == []
        assert ledger.verify().ok


def test_recovery_takes_the_log_of_a_ledger_that_is_still_open_elsewhere(path: Path) -> None:
    fill(path)
    with Ledger.open(path) as elsewhere:
        elsewhere.append("note", {"still": "in the log"})
        change_the_past(path)
        aside = Ledger.recover(path)
        assert {file.name for file in path.parent.glob("*-*-wal")} == {f"{aside.name}-wal"}
        with Ledger.open(path, write=False) as ledger:
            assert ledger.count() == 0
    with Ledger.open(aside, write=False) as ledger:
        assert ledger.payload(ledger.entry(4)) == {"still": "in the log"}


def change_the_past(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET kind = 'hint' WHERE id = 2")
        connection.commit()


def test_recovery_twice_in_one_second_keeps_both(path: Path) -> None:
    path.parent.mkdir()
    kept = []
    for content in (b"first wreck", b"second wreck", b"third wreck"):
        path.write_bytes(content)
        kept.append(Ledger.recover(path))
    assert [aside.read_bytes() for aside in kept] == [b"first wreck", b"second wreck", b"third wreck"]


def test_recovery_of_a_ledger_whose_past_was_changed(path: Path) -> None:
    fill(path)
    change_the_past(path)
    aside = Ledger.recover(path)
    with Ledger.open(aside, write=False) as ledger:
        assert ledger.count() == 3
    with Ledger.open(path) as ledger:
        assert ledger.count() == 0


def test_recovery_refuses_a_sound_ledger(path: Path) -> None:
    fill(path)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="the ledger is sound: there is nothing to rebuild"):
        Ledger.recover(path)
    assert path.read_bytes() == before


def test_a_writer_that_never_ends_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr("deepfield_cli.ledger.connection.PATIENCE_SECONDS", 0.3)
    with Ledger.open(path) as ledger, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="another process is writing"):
            ledger.append("note", {})
        assert ledger.count() == 3
        other.rollback()
        ledger.append("note", {})


def test_a_database_that_may_not_grow_is_full(ledger: Ledger) -> None:
    ledger.append("note", {"n": 1})
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerFull, match="everything recorded before is kept — free some space"):
        ledger.append("note", {"n": 2}, files={"noise.bin": os.urandom(50_000)})
    assert ledger.count() == 1
    ledger._connection.execute("PRAGMA max_page_count = 100000")
    ledger.append("note", {"n": 2})
    assert ledger.verify().ok


def test_reading_and_appending_load_neither_numpy_nor_sqlite_utils(path: Path) -> None:
    fill(path)
    code = f"""
import sys
from deepfield_cli.ledger import Ledger
with Ledger.open({str(path)!r}, write=False) as ledger:
    entry = ledger.entries(limit=20)[0]
    ledger.progress(), ledger.payload(entry), ledger.files(entry), ledger.verify()
with Ledger.open({str(path)!r}) as ledger:
    ledger.append("hint", {{}}, problem="p/q")
print({{"numpy", "sqlite_utils", "click", "pydantic", "torch"}} & set(sys.modules))
"""
    root = Path(deepfield_cli.__file__).parents[1]
    finished = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert finished.stdout == "set()\n"


def test_the_work_of_a_question_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine. Progress counts attempts one by one, but touches nothing else of them."""
    small, large = (steps_per_question(tmp_path / f"{size}.db", size) for size in (100, 3_000))
    progress = (large.pop("progress") - small.pop("progress")) / (3_000 - 100)
    assert progress < 10
    for question, steps in large.items():
        assert steps < small[question] + 50, question


def steps_per_question(path: Path, attempts: int) -> dict[str, int]:
    """A ledger with a problem that was never solved and one that was left long ago."""
    with Ledger.open(path) as ledger:
        with ledger.batch():
            ledger.append("hint", {}, problem="left/alone")
            ledger.append("give-up", {}, problem="left/alone")
            for number in range(attempts):
                problem, is_solved = f"field/{number % 3}", number % 3 > 0
                ledger.append("attempt", {}, problem=problem, rung="core", solved=is_solved, score=float(is_solved))
        questions: dict[str, Callable[[], object]] = {
            "progress": lambda: ledger.progress(),
            "newest": lambda: ledger.entries(limit=20),
            "newest of a problem": lambda: ledger.entries(problem="field/1", limit=20),
            "newest of a problem left long ago": lambda: ledger.entries(problem="left/alone", limit=20),
            "newest of a common kind": lambda: ledger.entries(kind="attempt", limit=20),
            "newest of a rare kind": lambda: ledger.entries(kind="give-up", limit=20),
            "newest of both": lambda: ledger.entries(kind="attempt", problem="field/1", limit=20),
            "hints": lambda: ledger.count("hint", "left/alone"),
            "one": lambda: ledger.entry(7),
            "append": lambda: ledger.append("hint", {}, problem="field/1"),
        }
        return {name: steps_of(ledger, question) for name, question in questions.items()}


def steps_of(ledger: Ledger, question: Callable[[], object]) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    ledger._connection.set_progress_handler(count, 1)
    question()
    ledger._connection.set_progress_handler(None, 1)
    return steps
