"""``show``: everything about a problem that is no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE, find_location, problem_ids
from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import Ask, Attempt


def test_the_page_tells_what_is_asked_and_what_is_checked(workspace: Workspace, ask: Ask) -> None:
    printed = ask("show", "tiny/mean").out

    for words in (
        "The mean, and numbers centred on it",
        "what you write in mean.py",
        "mean(values) -> float",
        "mean_matches",
        "The mean of up to a hundred numbers matches float64.",
        "120 s, 512 MB",
        "numpy.mean",
        "averages",
        "0 of 3 hints shown",
    ):
        assert words in printed


def test_nothing_that_would_spoil_it(workspace: Workspace, ask: Ask) -> None:
    told = ask("show", "tiny/mean").out + ask("show", "tiny/mean", "--json").out

    assert "Divide by how many" not in told
    assert "sum-not-mean" not in told
    assert "never divided" not in told


def test_json_has_checks_and_progress(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})
    ask("hint")

    document = json.loads(ask("show", "--json").out)

    assert document["schema_version"] == 1
    assert document["id"] == "tiny/mean"
    assert document["field"] == "tiny"
    assert document["hints"] == {"shown": 1, "total": 3}
    assert document["attempts"] == 1
    assert document["rungs"]["core"]["progress"]["state"] == "tried"
    assert [check["name"] for check in document["checks"]][:2] == ["one_number", "mean_matches"]
    assert document["checks"][1]["needs"] == ["one_number"]


def test_it_works_without_a_workspace(
    tiny_pack: Path, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert "mean(values) -> float" in ask("show", "tiny/mean").out
    nameless = ask("show")
    assert nameless.code == 2
    assert "which problem?" in nameless.err


@pytest.mark.parametrize(
    ("wanted", "hint"), [("tiny/maen", "tiny/mean"), ("mean", "tiny/mean"), ("llm/bep", "llm/bpe")]
)
def test_unknown_problems_get_their_near_miss(workspace: Workspace, ask: Ask, wanted: str, hint: str) -> None:
    answer = ask("show", wanted)

    assert answer.code == 2
    assert f'did you mean "{hint}"?' in answer.err


def test_a_problem_without_a_grader_is_shown_all_the_same(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = tmp_path / "pack" / "problems" / "bare" / "one" / "problem.yaml"
    declared.parent.mkdir(parents=True)
    source = find_location("llm/attention").yaml.read_text(encoding="utf-8")
    declared.write_text(source.replace("id: llm/attention", "id: bare/one"), encoding="utf-8")
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "pack"))
    monkeypatch.chdir(tmp_path)

    answer = ask("show", "bare/one")

    assert answer.code == 0
    assert "this problem has no grader yet" in answer.out


@pytest.mark.parametrize("problem", problem_ids())
@pytest.mark.parametrize("width", [80, 120])
def test_every_page_fits(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str, width: int) -> None:
    monkeypatch.chdir(tmp_path)

    lines = ask("show", problem, width=width).out.splitlines()

    too_long = [line for line in lines if len(line.rstrip()) > width and "://" not in line]
    assert lines
    assert too_long == []
