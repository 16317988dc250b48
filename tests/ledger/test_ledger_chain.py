"""A changed past is seen: whatever is altered, removed, added or reordered, in any column, blob or byte of the file."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import Ledger, LedgerCorrupt
from deepfield_cli.ledger.entry import COLUMNS, HASHED_COLUMNS, chain_hash

TRIGGERS = (
    "entries_are_never_changed",
    "entries_are_never_removed",
    "entries_continue_the_chain",
    "blobs_are_never_changed",
    "blobs_are_never_removed",
    "blobs_are_stored_once",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound ledger; the tests below change copies of it."""
    path = tmp_path_factory.mktemp("sound") / "progress.db"
    with Ledger.open(path) as ledger:
        for number, score in enumerate([0.0, 0.3, 1.0]):
            files = {"bpe.py": f"# try {number}\n".encode() * 20, "same.py": b"pass\n"}
            arguments = {"problem": "llm/bpe", "rung": "core", "solved": score == 1, "score": score}
            ledger.append("attempt", {"number": number, "words": "état " * 20}, files=files, **arguments)  # type: ignore[arg-type]
        ledger.append("hint", {"text": "look at the pairs"}, problem="llm/bpe")
        ledger.append("note", {})
    return path


@pytest.fixture
def tamper(sound: Path, tmp_path: Path) -> Callable[..., Path]:
    def run(*statements: str, values: tuple[object, ...] = ()) -> Path:
        return tampered_copy(sound, tmp_path / "progress.db", [(statement, values) for statement in statements])

    return run


def tampered_copy(sound: Path, path: Path, changes: list[tuple[str, tuple[object, ...]]]) -> Path:
    shutil.copy(sound, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement, values in changes:
            connection.execute(statement, values)
        connection.commit()
    return path


def test_the_copy_without_a_change_is_sound(tamper: Callable[..., Path]) -> None:
    with Ledger.open(tamper(), write=False) as ledger:
        report = ledger.verify()
        last = ledger.entries(limit=1)[0]
    assert (report.ok, report.entries, report.blobs, report.head) == (True, 5, 5 + 3 + 4, last.hash)
    assert (report.first_bad, report.bad_entries, report.damaged_blobs, report.missing_blobs) == (None, 0, (), ())


@pytest.mark.parametrize("statement", ["UPDATE {} SET rowid = 9", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["entries", "blobs"])
def test_the_database_itself_refuses_to_change_the_past(
    sound: Path, tmp_path: Path, table: str, statement: str
) -> None:
    path = tmp_path / "progress.db"
    shutil.copy(sound, path)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement.format(table))
    assert path.read_bytes() == sound.read_bytes()


@pytest.mark.parametrize("number", [3, 7])
def test_the_database_refuses_an_entry_that_does_not_follow_the_last(sound: Path, tmp_path: Path, number: int) -> None:
    path = tmp_path / "progress.db"
    shutil.copy(sound, path)
    row = (number, "note", "2026", "", "", "")
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="must follow"):
        connection.execute(
            "INSERT OR REPLACE INTO entries (id, kind, at, payload_digest, previous, hash) VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )


def test_the_database_keeps_a_blob_that_is_stored_already(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "progress.db"
    shutil.copy(sound, path)
    with closing(sqlite3.connect(path)) as connection:
        digest = connection.execute("SELECT digest FROM blobs").fetchone()[0]
        connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, x'00', 0)", (digest,))
        connection.commit()
    with Ledger.open(path) as ledger:
        assert ledger.verify().ok


@pytest.mark.parametrize(
    ("statements", "first_bad", "words"),
    [
        (["UPDATE entries SET score = 1.0, solved = 1 WHERE id = 2"], 2, "changed after it was written"),
        (["DELETE FROM entries WHERE id = 1"], 2, "between 0 and 2 are missing"),
        (["DELETE FROM entries WHERE id IN (2, 3)"], 4, "between 1 and 4 are missing"),
        (["DELETE FROM entries WHERE id = 5"], 5, "up to 5 were removed from the end"),
        (["DELETE FROM entries"], 1, "up to 5 were removed from the end"),
        (["UPDATE entries SET id = 9 WHERE id = 5"], 9, "between 4 and 9 are missing"),
        (
            [
                "UPDATE entries SET id = 9 WHERE id = 2",
                "UPDATE entries SET id = 2 WHERE id = 3",
                "UPDATE entries SET id = 3 WHERE id = 9",
                "UPDATE sqlite_sequence SET seq = 5",
            ],
            2,
            "does not follow entry 1",
        ),
        (["INSERT INTO entries SELECT 6, kind, at, problem, rung, solved, score, payload_digest, files_digest,"
          " previous, hash FROM entries WHERE id = 5"], 6, "does not follow entry 5"),
        (["UPDATE entries SET kind = x'00' WHERE id = 3"], 3, "a value that no entry can hold"),
        (["UPDATE entries SET kind = CAST(x'ff' AS TEXT) WHERE id = 3"], 3, "changed after it was written"),
        (["UPDATE entries SET score = 9e999 WHERE id = 3"], 3, "a value that no entry can hold"),
    ],
)  # fmt: skip
def test_the_first_bad_entry_is_named_with_its_reason(
    tamper: Callable[..., Path], statements: list[str], first_bad: int, words: str
) -> None:
    with Ledger.open(tamper(*statements), write=False) as ledger:
        report = ledger.verify()
    assert not report.ok
    assert report.first_bad is not None
    assert report.first_bad.id == first_bad
    assert words in report.first_bad.reason


def test_an_entry_with_a_forged_hash_breaks_the_chain_behind_it(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "progress.db"
    shutil.copy(sound, path)
    with Ledger.open(path, write=False) as ledger:
        entry = ledger.entry(2)
    columns = {name: getattr(entry, name) for name in HASHED_COLUMNS} | {"score": 1.0, "solved": 1}
    forged = "UPDATE entries SET score = 1.0, solved = 1, hash = ? WHERE id = 2"
    tampered_copy(sound, path, [(forged, (chain_hash(columns),))])
    with Ledger.open(path, write=False) as ledger:
        report = ledger.verify()
    assert report.first_bad is not None
    assert (report.first_bad.id, report.bad_entries) == (3, 1)


def test_a_missing_blob_is_named_by_verify_and_by_reading(tamper: Callable[..., Path]) -> None:
    path = tamper("DELETE FROM blobs WHERE digest = (SELECT payload_digest FROM entries WHERE id = 4)")
    with Ledger.open(path, write=False) as ledger:
        entry = ledger.entry(4)
        assert ledger.verify().missing_blobs == (entry.payload_digest,)
        with pytest.raises(LedgerCorrupt, match="is missing"):
            ledger.payload(entry)


def test_a_missing_file_is_named_though_its_manifest_is_there(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "progress.db"
    shutil.copy(sound, path)
    with Ledger.open(path, write=False) as ledger:
        digest = next(blob.digest for blob in ledger.walk_blobs() if blob.content == b"pass\n")
    tampered_copy(sound, path, [("DELETE FROM blobs WHERE digest = ?", (digest,))])
    with Ledger.open(path, write=False) as ledger:
        assert ledger.verify().missing_blobs == (digest,)
        with pytest.raises(LedgerCorrupt, match="is missing"):
            ledger.files(ledger.entry(1))


def test_a_blob_that_was_swapped_for_another_sound_one_is_seen(tamper: Callable[..., Path]) -> None:
    other = "FROM blobs AS other WHERE other.rowid = 2"
    path = tamper(
        f"UPDATE blobs SET data = (SELECT data {other}), checksum = (SELECT checksum {other}) WHERE rowid = 1"
    )
    with Ledger.open(path, write=False) as ledger:
        entry = ledger.entry(1)
        assert ledger.verify().damaged_blobs == (entry.payload_digest,)
        with pytest.raises(LedgerCorrupt, match="something else than its name says"):
            ledger.payload(entry)


@pytest.mark.parametrize("value", ["CAST(x'ff' AS TEXT)", "x'00'"])
def test_reading_an_entry_of_a_kind_that_is_no_text_is_one_clear_line(tamper: Callable[..., Path], value: str) -> None:
    with Ledger.open(tamper(f"UPDATE entries SET kind = {value} WHERE id = 3"), write=False) as ledger:
        for read in (ledger.entries, lambda: ledger.entry(3), lambda: list(ledger.walk_entries())):
            with pytest.raises(LedgerCorrupt, match="damaged"):
                read()


def test_an_index_that_lies_about_progress_is_seen(tamper: Callable[..., Path]) -> None:
    """Progress is read from the indexes, so they must agree with the entries that the chain proves."""
    path = tamper(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, '''attempt''', '''attemqt''') WHERE name = 'attempts_by_score'",
    )
    with Ledger.open(path, write=False) as ledger:
        report = ledger.verify()
    assert not report.ok
    assert report.file_faults


def test_a_fault_that_sqlite_tells_in_bytes_that_are_no_text_is_reported(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "progress.db"
    # The rule for `solved` now calls a function that does not exist, and SQLite names it.
    path.write_bytes(sound.read_bytes().replace(b"(solved IN (0, 1))", b"(solved\xffIN (0, 1))"))
    with Ledger.open(path, write=False) as ledger:
        report = ledger.verify()
    assert not report.ok
    assert report.file_faults


def test_a_manifest_that_leads_outside_is_refused_on_reading(ledger: Ledger) -> None:
    """A record may come from a stranger who computed every digest rightly."""
    hostile = ledger.append("note", {"../outside.py": "0" * 64})
    entry = ledger.append("note", {}, files={"a.py": b""})
    forged = type(entry)(**{name: getattr(entry, name) for name in COLUMNS} | {"files_digest": hostile.payload_digest})
    with pytest.raises(LedgerCorrupt, match="plain path"):
        ledger.files(forged)


ENTRY_CELLS = st.tuples(st.just("entries"), st.integers(0, 4), st.sampled_from(COLUMNS))
BLOB_CELLS = st.tuples(st.just("blobs"), st.integers(0, 11), st.sampled_from(["digest", "data", "checksum"]))


@settings(max_examples=100, deadline=None)
@given(cell=st.one_of(ENTRY_CELLS, BLOB_CELLS), place=st.integers(0, 10**6), mask=st.integers(1, 255))
@example(cell=("blobs", 0, "data"), place=1, mask=0x9C ^ 0xDA)  # another header that unpacks to the same content
def test_any_changed_byte_in_any_column_or_blob_is_seen(
    sound: Path, cell: tuple[str, int, str], place: int, mask: int
) -> None:
    table, row, column = cell
    with closing(sqlite3.connect(sound)) as connection:
        connection.text_factory = bytes
        query = f"SELECT rowid, {column}, typeof({column}) FROM {table} ORDER BY rowid LIMIT 1 OFFSET {row}"
        rowid, value, kind = connection.execute(query).fetchone()
    changed = changed_byte(value, place, mask)
    cast = "CAST(? AS TEXT)" if kind == b"text" else "?"
    change = (f"UPDATE {table} SET {column} = {cast} WHERE rowid = ?", (changed, rowid))
    with tempfile.TemporaryDirectory() as folder:
        path = tampered_copy(sound, Path(folder) / "progress.db", [change])
        with Ledger.open(path, write=False) as ledger:
            assert not ledger.verify().ok


def changed_byte(value: object, place: int, mask: int) -> object:
    """The same type of value with one byte changed; null becomes 0, a number that cannot be kept becomes null."""
    if isinstance(value, bytes):
        place %= len(value)
        return value[:place] + bytes([value[place] ^ mask]) + value[place + 1 :]
    if isinstance(value, int):
        # Not the lowest byte: another entry may have that id.
        return value ^ (mask << 8 * (1 + place % 3))
    if isinstance(value, float):
        packed = struct.pack("<d", value)
        place %= 8
        changed = struct.unpack("<d", packed[:place] + bytes([packed[place] ^ mask]) + packed[place + 1 :])[0]
        # 0.0 with another sign is the one value that SQLite gives back as if nothing had been done.
        return None if changed == value or changed != changed else changed
    assert value is None
    return 0


@settings(max_examples=200, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_a_flipped_byte_anywhere_in_the_file_never_passes_for_a_different_record(
    sound: Path, place: float, mask: int
) -> None:
    """It is seen at opening, or by verify, or it hit a byte that holds nothing of the record."""
    flipped = bytearray(sound.read_bytes())
    flipped[int(place * len(flipped))] ^= mask
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.db"
        path.write_bytes(flipped)
        try:
            with Ledger.open(path, write=False) as ledger:
                is_seen = not ledger.verify().ok
            assert is_seen or everything(path) == everything(sound)
        except LedgerError as error:
            assert str(path) in str(error)


def everything(path: Path) -> list[object]:
    with Ledger.open(path, write=False) as ledger:
        entries = list(ledger.walk_entries())
        contents = [(ledger.payload(entry), ledger.files(entry)) for entry in entries]
        return [entries, contents, ledger.progress(), ledger.entries(), ledger.count("attempt", "llm/bpe")]
