"""A record that cannot be used as it stands, and several commands that use it at once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger
from tests.cli.conftest import RIGHT_MEAN, RunHere, Start, belongings, entries_of
from tests.conftest import MakeWorkspace

WRONG_MEAN = RIGHT_MEAN.replace(" / len(values)", "")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def overwritten(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE others (x)")


CORRUPT = (overwritten, cut_short, of_another_program)


@pytest.fixture
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    return make_workspace("tiny/mean", RIGHT_MEAN)


def files_of(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.folder("tiny/mean")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("spoil", [newer, *CORRUPT])
def test_a_grade_shows_its_verdict_and_leaves_the_record_as_it_is(
    run_here: RunHere, workspace: Workspace, spoil: Callable[[Path], None]
) -> None:
    spoil(workspace.database)
    record, files = workspace.database.read_bytes(), files_of(workspace)
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 2
    assert "solved: tiny/mean core" in outcome.out
    assert outcome.complaint.startswith("this verdict could not be recorded: ")
    remedy = "upgrade deepfield" if spoil is newer else "`deepfield init --rebuild-ledger`"
    assert remedy in outcome.complaint
    assert workspace.database.read_bytes() == record
    assert files_of(workspace) == files


@pytest.mark.parametrize("spoil", [newer, *CORRUPT])
@pytest.mark.parametrize("command", [("start", "tiny/square"), ("grade",), ("init",)])
def test_what_needs_the_record_refuses_and_leaves_it_as_it_is(
    run_here: RunHere, workspace: Workspace, spoil: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    spoil(workspace.database)
    record, files = workspace.database.read_bytes(), files_of(workspace)
    outcome = run_here(*command, cwd=workspace.root)
    assert outcome.code == 2
    assert str(workspace.database) in outcome.complaint
    assert workspace.database.read_bytes() == record
    assert files_of(workspace) == files


@pytest.mark.parametrize("spoil", CORRUPT)
def test_a_damaged_record_is_kept_aside_and_a_new_one_begun_only_when_asked(
    run_here: RunHere, workspace: Workspace, spoil: Callable[[Path], None]
) -> None:
    spoil(workspace.database)
    damaged = workspace.database.read_bytes()
    outcome = run_here("init", "--rebuild-ledger", cwd=workspace.root)
    assert outcome.code == 0
    (aside,) = workspace.private.glob("progress.db.corrupt-*")
    assert aside.read_bytes() == damaged
    assert aside.name in "".join(outcome.out.split())
    assert run_here("grade", "tiny/mean", cwd=workspace.root).code == 0
    assert [entry.solved for entry in entries_of(workspace)] == [True]


def test_a_newer_record_is_not_rebuilt_even_when_asked(run_here: RunHere, workspace: Workspace) -> None:
    newer(workspace.database)
    record = workspace.database.read_bytes()
    outcome = run_here("init", "--rebuild-ledger", cwd=workspace.root)
    assert outcome.code == 2
    assert "upgrade deepfield" in outcome.complaint
    assert workspace.database.read_bytes() == record


def test_a_sound_record_is_not_rebuilt_even_when_asked(run_here: RunHere, workspace: Workspace) -> None:
    before = belongings(workspace)
    outcome = run_here("init", "--rebuild-ledger", cwd=workspace.root)
    assert outcome.code == 2
    assert "the ledger is sound: there is nothing to rebuild" in outcome.complaint
    before.kept_in(workspace)


def test_a_folder_in_the_place_of_the_record(run_here: RunHere, workspace: Workspace) -> None:
    workspace.database.unlink()
    workspace.database.mkdir()
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 2
    assert "there is a folder where the ledger should be" in outcome.complaint


def test_a_record_that_is_missing_is_begun_anew(run_here: RunHere, workspace: Workspace) -> None:
    workspace.database.unlink()
    assert run_here("grade", "tiny/mean", cwd=workspace.root).code == 0
    assert len(entries_of(workspace)) == 1


# Several at once


def test_grades_at_the_same_time_are_all_recorded(start_cli: Start, workspace: Workspace) -> None:
    before = belongings(workspace)
    together = [start_cli("grade", "tiny/mean", cwd=workspace.root) for _ in range(3)]
    outcomes = [running.end() for running in together]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0]
    assert [outcome.err for outcome in outcomes] == ["", "", ""]
    before.kept_in(workspace)
    assert len({entry.payload_digest for entry in entries_of(workspace)}) == 3


def test_first_commands_at_the_same_time_make_one_record(start_cli: Start, tiny_pack: Path, tmp_path: Path) -> None:
    together = [start_cli("start", name, cwd=tmp_path) for name in ("tiny/mean", "tiny/square", "tiny/mean")]
    outcomes = [running.end() for running in together]
    assert [(outcome.code, outcome.err) for outcome in outcomes] == [(0, "")] * 3
    starts = entries_of(Workspace(tmp_path), "start")
    assert sorted(entry.problem or "" for entry in starts) == ["tiny/mean", "tiny/mean", "tiny/square"]


def test_a_grade_waits_for_another_that_is_just_writing(start_cli: Start, workspace: Workspace) -> None:
    with Ledger.open(workspace.database) as ledger, ledger.batch():
        ledger.append("note", {})
        running = start_cli("grade", "tiny/mean", cwd=workspace.root)
        printed = running.process.stdout
        assert printed is not None
        while "solved" not in printed.readline():
            pass
    assert running.end().code == 0
    assert len(entries_of(workspace)) == 1
