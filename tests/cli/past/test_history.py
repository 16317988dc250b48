"""``history``: the attempts, the newest first, and no more read of them than is shown."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from deepfield_cli.journey.history import read_history
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger
from deepfield_cli.render.console import make_console
from deepfield_cli.render.history import show_history
from tests.cli.past.conftest import NOW, Ask, Attempt


def test_nothing_yet_is_said_kindly(workspace: Workspace, ask: Ask) -> None:
    answer = ask("history")

    assert answer.code == 0
    assert "No attempt yet" in answer.out


def test_newest_first_with_what_was_wrong(workspace: Workspace, attempt: Attempt) -> None:
    attempt({"mean_matches": "failed"}, at=NOW - timedelta(days=3))
    attempt({"one_number": "failed"}, at=NOW - timedelta(hours=5), diagnosis=None)
    attempt(at=NOW - timedelta(minutes=4))

    shown = _shown(workspace, width=78)

    assert shown.splitlines()[:4] == [
        "#  when        problem    rung   score  first failure",
        "4  4 min ago   tiny/mean  core  100% ●",
        "3  5 h ago     tiny/mean  core   75% ◐  one_number",
        "2  3 days ago  tiny/mean  core   75% ◐  mean_matches  sum-not-mean",
    ]


def test_a_wide_terminal_shows_clock_and_seed(
    workspace: Workspace, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    attempt(seed=1234567890123456789)

    shown = _shown(workspace, width=120)

    assert "2026-03-14" in shown
    assert "1234567890123456789" in shown


def test_a_fault_of_the_grader_is_no_failure_of_the_learner(workspace: Workspace, attempt: Attempt) -> None:
    attempt({"mean_matches": "errored"})

    shown = _shown(workspace)

    assert "no score" in shown
    assert "mean_matches broke: not your failure" in shown


def test_limit_keeps_the_newest_and_says_so(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    for _ in range(5):
        attempt()

    answer = ask("history", "--limit", "2", "--json")

    document = json.loads(answer.out)
    assert [one["number"] for one in document["attempts"]] == [6, 5]
    assert document["total"] == 5
    assert "the newest 2 of 5" in ask("history", "-n", "2").out


def test_only_what_is_shown_is_unpacked(
    workspace: Workspace, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(40):
        attempt(seed=seed)
    opened = []
    blob = Ledger.blob

    def counting(ledger: Ledger, digest: str) -> bytes:
        opened.append(digest)
        return blob(ledger, digest)

    monkeypatch.setattr(Ledger, "blob", counting)

    assert len(read_history(workspace, None, 3).attempts) == 3
    assert len(opened) == 3


def test_json_says_everything(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"}, seed=99)

    document = json.loads(ask("history", "tiny/mean", "--json").out)

    assert document["schema_version"] == 1
    assert document["problem"] == "tiny/mean"
    assert document["attempts"][0] == {
        "number": 2,
        "kind": "attempt",
        "at": "2026-03-14T12:00:00.000+00:00",
        "problem": "tiny/mean",
        "rung": "core",
        "score": 0.75,
        "solved": False,
        "check": "mean_matches",
        "diagnosis": "sum-not-mean",
        "seed": 99,
    }


def test_in_the_folder_of_a_problem_it_is_about_that_problem(
    workspace: Workspace, attempt: Attempt, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt()
    attempt(problem="tiny/square")

    assert json.loads(ask("history", "--json").out)["total"] == 2
    monkeypatch.chdir(workspace.folder("tiny/mean"))
    assert json.loads(ask("history", "--json").out)["total"] == 1


def test_a_problem_that_no_pack_holds_any_more_keeps_its_past(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(problem="gone/away")

    assert "gone/away" in ask("history", "gone/away", width=120).out or ask("history", "gone/away").code == 0
    assert json.loads(ask("history", "gone/away", "--json").out)["total"] == 1


def test_an_unknown_problem_gets_its_near_miss(workspace: Workspace, ask: Ask) -> None:
    answer = ask("history", "tiny/maen")

    assert answer.code == 2
    assert 'did you mean "tiny/mean"?' in answer.err


def test_without_a_workspace_it_says_how_to_get_one(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    answer = ask("history")

    assert answer.code == 2
    assert "no workspace here" in answer.err
    assert answer.out == ""


def _shown(workspace: Workspace, width: int = 100) -> str:
    file = StringIO()
    show_history(make_console(file, width=width), read_history(workspace, None, 20), now=NOW)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
