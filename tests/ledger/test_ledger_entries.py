"""What is appended comes back exactly, and the questions asked of it are answered rightly."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import Entry, Ledger, LedgerCorrupt
from deepfield_cli.ledger.entry import GENESIS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attempt(ledger: Ledger, problem: str, score: float | None, minute: int = 0, rung: str = "core") -> Entry:
    return ledger.append(
        "attempt",
        {"minute": minute},
        problem=problem,
        rung=rung,
        solved=None if score is None else score == 1,
        score=score,
        at=NOON + timedelta(minutes=minute),
    )


def test_an_entry_comes_back_as_it_was_appended(ledger: Ledger) -> None:
    files = {"bpe.py": b"x = 1\n", "parts/merge.py": b"", "parts/same.py": b"x = 1\n"}
    payload = {"problem": "llm/bpe", "checks": [{"name": "é\ud800", "seconds": 0.25}], "score": None}
    written = ledger.append(
        "attempt", payload, problem="llm/bpe", rung="core", solved=False, score=0.5, files=files, at=NOON
    )
    assert written == ledger.entry(1)
    assert (written.id, written.kind, written.at) == (1, "attempt", "2026-03-01T12:00:00.000+00:00")
    assert (written.solved, written.score, written.previous) == (False, 0.5, GENESIS)
    assert ledger.payload(written) == payload
    assert ledger.files(written) == files


def test_equal_files_are_stored_once(ledger: Ledger) -> None:
    for number in range(3):
        ledger.append("attempt", {"n": number}, problem="p/q", rung="core", files={"a.py": b"1", "b.py": b"1"})
    assert sorted(blob.content for blob in ledger.walk_blobs() if blob.content == b"1") == [b"1"]
    assert len(list(ledger.walk_blobs())) == 3 + 1 + 1  # payloads, one manifest, one content


def test_an_entry_without_files_has_none(ledger: Ledger) -> None:
    assert ledger.files(ledger.append("hint", {"number": 1}, problem="llm/bpe")) == {}


def test_every_entry_names_the_one_before_it(ledger: Ledger) -> None:
    entries = [ledger.append("hint", {"number": number}) for number in range(4)]
    assert [entry.id for entry in entries] == [1, 2, 3, 4]
    assert [entry.previous for entry in entries] == [GENESIS, *(entry.hash for entry in entries[:-1])]
    assert list(ledger.walk_entries()) == entries


def test_time_is_kept_in_utc_and_defaults_to_now(ledger: Ledger) -> None:
    east = timezone(timedelta(hours=9))
    assert ledger.append("note", {}, at=NOON.astimezone(east)).at == "2026-03-01T12:00:00.000+00:00"
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= datetime.fromisoformat(ledger.append("note", {}).at) <= datetime.now(UTC)


def test_a_metric_that_is_not_a_number_does_not_lose_the_attempt(ledger: Ledger) -> None:
    entry = ledger.append("attempt", {"loss": math.nan, "cost": math.inf}, problem="p/q", rung="core")
    payload = ledger.payload(entry)
    assert math.isnan(payload["loss"])
    assert payload["cost"] == math.inf


def test_a_score_of_minus_zero_does_not_break_the_chain(ledger: Ledger) -> None:
    entry = ledger.append("note", {}, score=-0.0)
    assert math.copysign(1.0, entry.score or 0.0) == 1.0
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "attempt", "payload": {}, "rung": "core"}, "a problem, a rung"),
        ({"kind": "attempt", "payload": {}, "problem": "p/q", "rung": "core", "score": 1.0}, "a verdict and a score"),
        ({"kind": "attempt", "payload": {}, "problem": "p/q", "rung": "core", "solved": True}, "a verdict and a score"),
        ({"kind": "note", "payload": {}, "score": math.nan}, "finite"),
        ({"kind": "note", "payload": {}, "at": datetime(2026, 1, 1)}, "time zone"),
        ({"kind": "note", "payload": {}, "files": {"../out.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"/out.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"a/../../out.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"C:\\out.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"a\\..\\..\\out.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"a//b.py": b""}}, "plain path"),
        ({"kind": "note", "payload": {}, "files": {"a\0b.py": b""}}, "plain path"),
    ],
)
def test_what_no_entry_can_hold_is_refused_and_leaves_nothing(
    ledger: Ledger, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        ledger.append(**arguments)
    assert ledger.count() == 0
    assert list(ledger.walk_blobs()) == []


def test_a_file_that_is_too_large_is_named(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepfield_cli.ledger.blobs.MAX_BLOB_BYTES", 100)
    ledger.append("note", {}, files={"right.bin": bytes(100)})
    with pytest.raises(LedgerError, match=r"huge\.bin: the file is too large .*101 bytes"):
        ledger.append("note", {}, files={"huge.bin": bytes(101)})
    with pytest.raises(LedgerError, match="the result is too large"):
        ledger.append("note", {"text": "x" * 100})
    assert ledger.count() == 1


def test_a_blob_that_unpacks_to_too_much_is_refused(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = ledger.append("note", {}, files={"bomb.bin": bytes(10_000)})
    monkeypatch.setattr("deepfield_cli.ledger.blobs.MAX_BLOB_BYTES", 1_000)
    with pytest.raises(LedgerCorrupt, match="too large"):
        ledger.files(entry)


def test_an_unknown_entry_is_one_clear_line(ledger: Ledger) -> None:
    for number in (0, -1, 1, 2**70):
        with pytest.raises(LedgerError, match=f"there is no entry {number} "):
            ledger.entry(number)


def test_a_batch_is_all_or_nothing(ledger: Ledger) -> None:
    with pytest.raises(KeyboardInterrupt), ledger.batch():
        ledger.append("note", {"n": 1})
        raise KeyboardInterrupt
    with pytest.raises(UnicodeDecodeError), ledger.batch():
        ledger.append("note", {"text": b"\xff".decode()})
    assert ledger.count() == 0
    with ledger.batch():
        ledger.append("note", {"n": 1})
        ledger.append("note", {"n": 2})
    assert [ledger.payload(entry)["n"] for entry in ledger.walk_entries()] == [1, 2]
    assert ledger.verify().ok


def test_entries_are_filtered_ordered_and_limited(ledger: Ledger) -> None:
    for number, (kind, problem) in enumerate([("hint", "a/b"), ("reset", "a/b"), ("hint", "c/d"), ("hint", "a/b")]):
        ledger.append(kind, {"number": number}, problem=problem)
    assert [entry.id for entry in ledger.entries()] == [4, 3, 2, 1]
    assert [entry.id for entry in ledger.entries(newest_first=False, limit=2)] == [1, 2]
    assert [entry.id for entry in ledger.entries(kind="hint")] == [4, 3, 1]
    assert [entry.id for entry in ledger.entries(problem="a/b")] == [4, 2, 1]
    assert [entry.id for entry in ledger.entries(kind="hint", problem="a/b", limit=1)] == [4]
    assert ledger.entries(limit=0) == []
    assert (ledger.count(), ledger.count("hint"), ledger.count("hint", "a/b"), ledger.count("give-up")) == (4, 3, 2, 0)


def test_progress_of_a_problem_that_was_solved_and_broken_again(ledger: Ledger) -> None:
    for minute, score in enumerate([0.25, 1.0, 1.0, 0.75]):
        attempt(ledger, "llm/bpe", score, minute)
    (progress,) = ledger.progress()
    assert (progress.problem, progress.rung, progress.attempts) == ("llm/bpe", "core", 4)
    assert (progress.solved, progress.best_score, progress.last_solved) == (True, 1.0, False)
    assert progress.first_solved_at == "2026-03-01T12:01:00.000+00:00"
    assert progress.last_at == "2026-03-01T12:03:00.000+00:00"
    assert progress.solving_entry == 3


def test_what_was_not_scored_is_no_attempt(ledger: Ledger) -> None:
    attempt(ledger, "llm/bpe", None)
    ledger.append("fault", {}, problem="llm/bpe", rung="core")
    ledger.append("hint", {}, problem="llm/bpe")
    ledger.append("note", {}, problem="llm/bpe", rung="core", solved=True, score=1.0)
    assert ledger.progress() == []


def test_an_empty_ledger_has_no_progress_and_is_sound(ledger: Ledger) -> None:
    assert ledger.progress() == []
    assert ledger.entries() == []
    report = ledger.verify()
    assert (report.ok, report.entries, report.head) == (True, 0, GENESIS)


ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from(["a/a", "a/b", "b", "é/z"]),
        st.sampled_from(["core", "laptop", "paper"]),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0])),
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None)
@given(attempts=ATTEMPTS)
def test_progress_equals_a_plain_count_over_the_entries(attempts: list[tuple[str, str, float | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "progress.db") as ledger:
        with ledger.batch():
            for minute, (problem, rung, score) in enumerate(attempts):
                attempt(ledger, problem, score, minute, rung)
        expected = {}
        for pair in sorted({(problem, rung) for problem, rung, score in attempts if score is not None}):
            mine = [entry for entry in ledger.walk_entries() if (entry.problem, entry.rung) == pair]
            scored = [entry for entry in mine if entry.score is not None]
            solved = [entry for entry in scored if entry.solved]
            expected[pair] = (
                len(scored),
                bool(solved),
                max(entry.score or 0.0 for entry in scored),
                solved[0].at if solved else None,
                scored[-1].at,
                scored[-1].solved,
                solved[-1].id if solved else None,
            )
        found = {
            (item.problem, item.rung): (
                item.attempts,
                item.solved,
                item.best_score,
                item.first_solved_at,
                item.last_at,
                item.last_solved,
                item.solving_entry,
            )
            for item in ledger.progress()
        }
        assert found == expected
        assert list(found) == sorted(found)


TEXT = st.text(max_size=12)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    kind=TEXT,
    problem=st.none() | TEXT,
    score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    solved=st.none() | st.booleans(),
    payload=st.dictionaries(TEXT, JSON_VALUES, max_size=4),
    files=st.none() | st.dictionaries(st.from_regex(r"[a-zé ]{1,8}(/[a-z.]{3,6}x)?", fullmatch=True), st.binary()),
)
def test_anything_that_is_accepted_comes_back_and_proves_true(
    kind: str,
    problem: str | None,
    score: float | None,
    solved: bool | None,
    payload: dict[str, Any],
    files: dict[str, bytes] | None,
) -> None:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "progress.db") as ledger:
        entry = ledger.append(kind, payload, problem=problem, score=score, solved=solved, files=files)
        (stored,) = ledger.entries(kind=kind, problem=problem)
        assert stored == entry == replace(entry, kind=kind, problem=problem, score=score, solved=solved)
        assert ledger.payload(stored) == payload
        assert ledger.files(stored) == (files or {})
        assert ledger.verify().ok
