"""``verify``: the record is proved, and what it says comes out again."""

from __future__ import annotations

import json
import sqlite3

import pytest

from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import NEVER_DIVIDES, Ask, Attempt


@pytest.fixture
def graded(workspace: Workspace, ask: Ask) -> int:
    """The number of a real attempt, which fails."""
    (workspace.folder("tiny/mean") / "mean.py").write_text(NEVER_DIVIDES, encoding="utf-8")
    assert ask("grade").code == 1
    number: int = json.loads(ask("history", "--json").out)["attempts"][0]["number"]
    return number


def test_a_sound_record_is_proved(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()

    answer = ask("verify")

    assert answer.code == 0
    assert "as it was written" in answer.out
    assert "2 entries" in answer.out


def test_a_changed_past_is_seen(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})
    _tamper(workspace, "UPDATE entries SET solved = 1, score = 1.0 WHERE id = 2")

    answer = ask("verify")

    assert answer.code == 1
    assert "not as it was written" in answer.out
    assert "entry 2: it was changed after it was written" in answer.out


def test_removed_files_are_seen_and_nothing_is_graded_from_them(
    workspace: Workspace, attempt: Attempt, ask: Ask
) -> None:
    entry = attempt()
    _tamper(workspace, f"DELETE FROM blobs WHERE digest = '{entry.files_digest}'")

    answer = ask("verify", "--attempt", "2", "--json")

    document = json.loads(answer.out)
    assert answer.code == 1
    assert document["ok"] is False
    assert document["chain"]["missing_blobs"] == [entry.files_digest]
    assert document["regrades"] == []


def test_a_stored_attempt_comes_out_as_it_did(workspace: Workspace, graded: int, ask: Ask) -> None:
    (workspace.folder("tiny/mean") / "mean.py").write_text("broken(", encoding="utf-8")

    answer = ask("verify", "--attempt", str(graded))

    assert answer.code == 0
    assert f"attempt {graded}  tiny/mean core  as on record  4 checks" in answer.out


def test_a_verdict_that_does_not_come_out_again_is_named(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": NEVER_DIVIDES.encode()})

    answer = ask("verify", "-a", "2", "--json")

    regrade = json.loads(answer.out)["regrades"][0]
    assert answer.code == 1
    assert regrade["turned"] == [{"name": "mean_matches", "before": "passed", "after": "failed"}]
    assert regrade["suite_changed"] is True


def test_regrade_takes_what_solves_each_problem_and_says_what_it_cannot(
    workspace: Workspace, attempt: Attempt, ask: Ask
) -> None:
    attempt()
    attempt({"mean_matches": "failed"})
    attempt(problem="gone/away")

    answer = ask("verify", "--regrade", "--json")

    regrades = json.loads(answer.out)["regrades"]
    assert [(one["problem"], one["number"], one["obstacle"] is None) for one in regrades] == [
        ("gone/away", 4, False),
        ("tiny/mean", 2, True),
    ]
    assert answer.code == 0


def test_an_attempt_that_is_not_there(workspace: Workspace, ask: Ask) -> None:
    answer = ask("verify", "--attempt", "12")

    assert answer.code == 2
    assert "no entry 12" in answer.err


def _tamper(workspace: Workspace, statement: str) -> None:
    """What somebody with an editor for databases could do."""
    connection = sqlite3.connect(workspace.database)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()
