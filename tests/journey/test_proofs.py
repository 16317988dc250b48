"""Gap logs, attestations and ratings: on the record as what they are, and refused where something is missing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import ContentError, DeepfieldError
from deepfield_cli.journey.attesting import Evidence, NotEnough, attest, find_rubric, read_attestations
from deepfield_cli.journey.enjoyment import read_ratings, record_enjoyment
from deepfield_cli.journey.facts import read_facts
from deepfield_cli.journey.gaps import add_gap, gaps_markdown, read_gaps
from deepfield_cli.journey.workspace import Workspace
from tests.conftest import RunCli


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    path = tmp_path / "proof.md"
    path.write_text("gamma < 1\n", encoding="utf-8")
    return path


def answers(rubric_id: str, **changed: bool) -> dict[str, bool]:
    rubric = open_roadmap().rubrics[rubric_id]
    return {**{one.id: True for one in rubric.criteria}, **changed}


def test_gaps_are_kept_per_problem_and_exported(workspace: Workspace) -> None:
    add_gap(workspace, "llm/gpt2", "0.5M tokens", "524,288 | not 500,000\nexactly")
    add_gap(workspace, "rl/ppo", "Adam", "eps of 1e-5", "return +120")
    add_gap(workspace, "llm/gpt2", "a <b>", "c")
    assert [gap.paper for gap in read_gaps(workspace, "llm/gpt2")] == ["0.5M tokens", "a <b>"]
    assert read_facts(workspace).gaps == {"llm/gpt2": 2, "rl/ppo": 1}
    text = gaps_markdown(read_gaps(workspace))
    rows = [line for line in text.splitlines() if line.startswith("| 20")]
    assert len(rows) == 3
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)
    assert "524,288 \\| not 500,000 exactly" in text
    assert "<b>" not in text


@pytest.mark.parametrize(("problem", "paper"), [("llm/gpt3", "x"), ("llm/gpt2", "  ")])
def test_what_is_no_gap(workspace: Workspace, problem: str, paper: str) -> None:
    with pytest.raises(DeepfieldError):
        add_gap(workspace, problem, paper, "y")
    assert read_gaps(workspace) == []


def test_an_attestation_holds_the_digest_and_is_called_attested(workspace: Workspace, proof: Path) -> None:
    rubric = find_rubric("contraction-proof")
    made = attest(workspace, rubric, answers(rubric.id, limits=False), Evidence(file=proof, note="page 3"))
    assert made.sha256 == hashlib.sha256(proof.read_bytes()).hexdigest()
    assert (made.file, made.size, made.no) == ("proof.md", 10, ("limits",))
    assert read_attestations(workspace) == [made]
    assert read_facts(workspace).attested == {"contraction-proof": 1}


def test_counts_add_up(workspace: Workspace) -> None:
    rubric = find_rubric("derivation")
    for count in (2, 3):
        attest(workspace, rubric, answers(rubric.id), Evidence(link="https://example.org/video", count=count))
    assert read_facts(workspace).attested["derivation"] == 5


def test_an_item_leads_to_its_rubric() -> None:
    assert find_rubric("paper-to-code-in-days").id == "paper-in-a-day"
    with pytest.raises(ContentError, match="blog-quality, explainer-used, talk"):
        find_rubric("taught-it")
    with pytest.raises(ContentError, match="derived"):
        find_rubric("season-without-hopping")
    with pytest.raises(ContentError, match='did you mean "derivation"'):
        find_rubric("derivations")


def test_honest_answers_that_are_not_enough_are_not_recorded(workspace: Workspace, proof: Path) -> None:
    rubric = find_rubric("contraction-proof")
    with pytest.raises(NotEnough, match="where it is used"):
        attest(workspace, rubric, answers(rubric.id, rows=False), Evidence(file=proof))
    with pytest.raises(NotEnough, match="3 of the 4"):
        attest(workspace, rubric, answers(rubric.id, limits=False, consequence=False), Evidence(file=proof))
    assert read_attestations(workspace) == []


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (Evidence(), "--file is missing"),
        (Evidence(link="https://example.org/x"), "--file is missing"),
        (Evidence(file=Path("nowhere.md")), "cannot be read"),
        (Evidence(file=Path("nowhere.md"), count=2), "one at a time"),
        (Evidence(file=Path("nowhere.md"), count=0), "not 1 or more"),
        (Evidence(link="example.org"), "no address"),
    ],
)
def test_what_is_missing_is_told(workspace: Workspace, evidence: Evidence, message: str) -> None:
    rubric = find_rubric("contraction-proof")
    with pytest.raises(DeepfieldError, match=message):
        attest(workspace, rubric, answers(rubric.id), evidence)


def test_the_newest_rating_counts(workspace: Workspace) -> None:
    record_enjoyment(workspace, "llm/bpe", 2, "core")
    record_enjoyment(workspace, "llm/bpe", 5, "core")
    with workspace.record() as ledger:
        assert read_ratings(ledger) == {"llm/bpe": 5}
    with pytest.raises(DeepfieldError, match="6 is no rating"):
        record_enjoyment(workspace, "llm/bpe", 6)


def test_the_commands(workspace: Workspace, run_cli: RunCli, proof: Path, tmp_path: Path) -> None:
    def code(*arguments: str | Path) -> int:
        return run_cli(*arguments, cwd=workspace.root).returncode

    assert code("gap", "add", "llm/gpt2", "--paper", "a", "--reality", "b") == 0
    assert code("gap", "add", "llm/gpt2", "--paper", "a") == 2
    assert json.loads(run_cli("gap", "list", "--json", cwd=workspace.root).stdout)["gaps"][0]["reality"] == "b"
    assert "| a | b |" in run_cli("gap", "export", "llm/gpt2", cwd=workspace.root).stdout
    replies = tmp_path / "replies.yaml"
    replies.write_text("".join(f"{one}: true\n" for one in answers("contraction-proof")), encoding="utf-8")
    shown = run_cli("attest", "contraction-proof", "--file", proof, "--answers", replies, "--json", cwd=workspace.root)
    assert json.loads(shown.stdout)["evidence"] == "attested"
    assert "attested: 1" in run_cli("attest", cwd=workspace.root).stdout
    replies.write_text(replies.read_text(encoding="utf-8").replace("rows: true", "rows: false"), encoding="utf-8")
    assert code("attest", "contraction-proof", "--file", proof, "--answers", replies) == 1
    assert code("attest", "contraction-proof", "--file", proof) == 2
    assert code("enjoy", "llm/attention", "4") == 2  # not solved yet
