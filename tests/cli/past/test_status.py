"""``status`` and ``list``: where the learner stands, and one thing to do next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import Ask, Attempt
from tests.conftest import TINY_PACK, MakeWorkspace, RunCli


def test_without_a_workspace_it_says_how_to_get_one(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    answer = ask("status")

    assert answer.code == 2
    assert answer.out == ""
    assert "no workspace here — deepfield start llm/attention makes one" in answer.err


@pytest.mark.parametrize(
    ("tried", "state"),
    [
        ([], "open"),
        ([{"mean_matches": "failed"}], "tried"),
        ([{"mean_matches": "failed"}, {}], "solved"),
        ([{}, {"mean_matches": "failed"}], "solved"),
    ],
)
def test_a_rung_is_as_good_as_its_best_attempt(
    workspace: Workspace, attempt: Attempt, ask: Ask, tried: list[dict[str, str]], state: str
) -> None:
    for outcomes in tried:
        attempt(outcomes)

    core = _mean(ask)["rungs"]["core"]

    assert core["state"] == state
    assert core["attempts"] == len(tried)


def test_a_fault_of_the_grader_counts_as_nothing(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "errored"})

    assert _mean(ask)["rungs"]["core"]["state"] == "open"
    assert _mean(ask)["attempts"] == 0


def test_solved_by_checks_that_have_changed_since_is_marked(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(problem_version=0)

    assert _mean(ask)["rungs"]["core"]["state"] == "outdated"
    assert "◎" in ask("status").out


def test_the_last_attempt_is_named_with_its_mistake(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})

    document = json.loads(ask("status", "--json").out)

    assert document["current"] == "tiny/mean"
    assert document["last"]["check"] == "mean_matches"
    assert document["last"]["diagnosis"] == "sum-not-mean"
    assert "sum-not-mean" in ask("status").out


def test_what_comes_next_is_a_command(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    steps = [_next(ask)]
    attempt({"mean_matches": "failed"})
    steps.append(_next(ask))
    for _ in range(3):
        ask("hint")
    steps.append(_next(ask))

    assert steps == ["deepfield watch tiny/mean", "deepfield hint tiny/mean", "deepfield repro tiny/mean"]


def test_giving_up_is_not_hidden(workspace: Workspace, ask: Ask) -> None:
    ask("solution", "--give-up", "--yes")

    assert _mean(ask)["gave_up"] is True


def test_attempts_at_what_no_pack_holds_any_more_are_not_forgotten(
    workspace: Workspace, attempt: Attempt, ask: Ask
) -> None:
    attempt(problem="gone/away")

    assert json.loads(ask("status", "--json").out)["elsewhere"] == ["gone/away"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", [["status"], ["list"], ["history"]], ids=" ".join)
def test_no_line_is_wider_than_the_terminal(
    workspace: Workspace, attempt: Attempt, ask: Ask, command: list[str], width: int
) -> None:
    attempt({"mean_matches": "failed"})

    assert [line for line in ask(*command, width=width).out.splitlines() if len(line.rstrip()) > width] == []


@pytest.mark.parametrize("command", [["status"], ["list"], ["history"], ["show", "tiny/mean"]], ids=" ".join)
def test_a_terminal_of_bytes_only_is_enough(
    workspace: Workspace, attempt: Attempt, run_cli: RunCli, command: list[str]
) -> None:
    attempt({"mean_matches": "failed"})

    answer = run_cli(*command, cwd=workspace.root, environment={"PYTHONIOENCODING": "ascii"})

    assert answer.returncode == 0
    assert answer.stdout.isascii()


def test_list_of_one_field(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()

    document = json.loads(ask("list", "--field", "tiny", "--json").out)

    assert {one["field"] for one in document["problems"]} == {"tiny"}
    assert next(one for one in document["problems"] if one["id"] == "tiny/mean")["rungs"]["core"]["state"] == "solved"
    assert "●" in ask("list", "--field", "tiny").out


def test_an_unknown_field_gets_its_near_miss(workspace: Workspace, ask: Ask) -> None:
    answer = ask("list", "--field", "tinyy")

    assert answer.code == 2
    assert 'did you mean "tiny"?' in answer.err


def test_a_changed_problem_is_seen_at_once(
    make_workspace: MakeWorkspace, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    pack = tmp_path / "pack"
    shutil.copytree(TINY_PACK, pack)
    workspace = make_workspace("tiny/mean")
    monkeypatch.setenv("DEEPFIELD_PACKS", str(pack))
    monkeypatch.chdir(workspace.root)
    assert _mean(ask)["title"] == "The mean, and numbers centred on it"

    declared = pack / "problems/tiny/mean/problem.yaml"
    declared.write_text(declared.read_text().replace("title: The mean, and numbers centred on it", "title: Renamed"))

    assert _mean(ask)["title"] == "Renamed"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"fingerprint": 1}'])
def test_a_damaged_cache_is_passed_over(workspace: Workspace, ask: Ask, tmp_path: Path, damage: bytes) -> None:
    import os

    before = _mean(ask)
    kept = list(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.json"))
    assert kept
    for path in kept:
        path.write_bytes(damage)

    assert _mean(ask) == before


def _mean(ask: Ask) -> dict[str, Any]:
    """What status says about tiny/mean."""
    document = json.loads(ask("status", "--json").out)
    found: dict[str, Any] = next(
        problem for field in document["fields"] for problem in field["problems"] if problem["id"] == "tiny/mean"
    )
    return found


def _next(ask: Ask) -> str:
    step: str = json.loads(ask("status", "--json").out)["next"]["command"]
    return step
