"""``deepfield confirm`` as a learner types it: what is recorded, what it counts for, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.journey.facts import read_facts
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry
from tests.conftest import RunCli
from tests.summit.github_shapes import publish, pull
from tests.summit.posts import POST, write_post
from tests.summit.reproductions import write_reproduction
from tests.summit.server import Reply, Service, as_json
from tests.summit.test_codeforces import publish as publish_rating


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setenv("DEEPFIELD_GITHUB_API", service.url)
    monkeypatch.setenv("DEEPFIELD_CODEFORCES_API", service.url)
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def entries(workspace: Workspace, kind: str) -> list[tuple[Entry, dict[str, Any], dict[str, bytes]]]:
    with workspace.record() as ledger:
        found = ledger.entries(kind, newest_first=False)
        return [(entry, ledger.payload(entry), ledger.files(entry)) for entry in found]


def test_a_merged_pull_request(workspace: Workspace, service: Service, run_cli: RunCli) -> None:
    address = publish(service)
    shown = run_cli("confirm", "pr", address, "--account", "Ada-L", cwd=workspace.root)
    assert shown.returncode == 0, shown.stderr
    for words in (
        "confirmed  merged-pr: 1",
        "merged on 2026-10-02",
        f"asked at {service.url}",
        "Ada-L is you, you say",
    ):
        assert words in shown.stdout
    ((entry, payload, files),) = entries(workspace, "confirm")
    assert (entry.problem, entry.rung) == ("summit/merged-pr", "core")
    assert (payload["what"], payload["value"], payload["url"]) == ("merged-pr", 1, address)
    assert json.loads(files["repos-vllm-project-vllm-pulls-77.json"])["merged"] is True
    assert read_facts(workspace).confirmed == {"merged-pr": 1}
    # the same again is no second confirmation, and nobody types the account twice
    again = run_cli("confirm", "pr", "vllm-project/vllm#77", "--json", cwd=workspace.root)
    document = json.loads(again.stdout)
    assert (again.returncode, document["confirmation"]["is_new"]) == (0, False)
    assert document["confirmation"]["evidence"] == "confirmed"
    assert len(entries(workspace, "confirm")) == 1


def test_what_a_confirmation_counts_for(workspace: Workspace, service: Service, run_cli: RunCli) -> None:
    def says(*arguments: str) -> str:
        return run_cli(*arguments, cwd=workspace.root).stdout

    publish_rating(service)
    run_cli("confirm", "pr", publish(service), "--account", "ada-l", cwd=workspace.root)
    run_cli("confirm", "codeforces", "ada", cwd=workspace.root)
    assert read_facts(workspace).confirmed == {"merged-pr": 1, "codeforces-rating": 1954}
    for item in ("merged-pr-arena", "aoc-codeforces"):
        rule = json.loads(says("show", item, "--json"))["rule"]
        assert (rule["holds"], rule["evidence"]) == (True, "confirmed")
        assert "confirmed" in says("show", item)
    signal = json.loads(says("show", "merged-and-defended", "--json"))["rule"]
    assert not signal["holds"]  # the defence is not attested yet
    assert [part["evidence"] for part in signal["parts"]] == ["confirmed", None]
    document = json.loads(says("status", "--json"))
    summit = next(field for field in document["fields"] if field["name"] == "summit")
    states = {one["id"]: one["rungs"]["core"]["state"] for one in summit["problems"]}
    assert states == {"summit/reproduction": "open", "summit/merged-pr": "confirmed", "summit/blog": "open"}
    assert (summit["surveyed"], summit["solved"], document["solved"]) == (True, 0, 0)
    assert "confirmed by others" in says("status", "--all")
    run_cli("portfolio", "--out", "page.html", cwd=workspace.root)
    page = (workspace.root / "page.html").read_text(encoding="utf-8")
    assert "Codeforces rating: 1954" in page and "Pull request merged" in page
    assert json.loads(says("verify", "--json"))["ok"]


def test_a_pull_request_that_is_not_what_is_asked(workspace: Workspace, service: Service, run_cli: RunCli) -> None:
    address = publish(service, pull(merged=False, merged_at=None, state="open"))
    shown = run_cli("confirm", "pr", address, "--account", "somebody", cwd=workspace.root)
    assert shown.returncode == 1
    assert "not-merged" in shown.stdout and "another-author" in shown.stdout
    document = json.loads(run_cli("confirm", "pr", address, "--account", "x", "--json", cwd=workspace.root).stdout)
    assert document["confirmation"] is None
    assert entries(workspace, "confirm") == []


def test_what_is_missing_or_cannot_be_asked(workspace: Workspace, service: Service, run_cli: RunCli) -> None:
    def complaint(*arguments: str, code: int = 2) -> str:
        told = run_cli(*arguments, cwd=workspace.root)
        assert (told.returncode, told.stdout) == (code, ""), told
        assert told.stderr.count("\n") == 1
        return told.stderr

    assert "which pull request?" in complaint("confirm", "pr")
    assert "--account is missing" in complaint("confirm", "pr", "a/b#1")
    assert "no address of a pull request" in complaint("confirm", "pr", "12", "--account", "x")
    assert "knows no pull request 1 in a/b" in complaint("confirm", "pr", "a/b#1", "--account", "x")
    assert "whose rating?" in complaint("confirm", "codeforces")
    service.says("/user.info", as_json({"status": "OK", "result": [{"handle": "new"}]}))
    service.says("/user.rating", as_json({"status": "OK", "result": []}))
    assert "no rating yet" in complaint("confirm", "codeforces", "new", code=1)
    assert "there is no claims.yaml" in complaint("confirm", "reproduction")
    assert "there is no submission here" in complaint("confirm", "blog")
    assert entries(workspace, "confirm") == []


def test_without_a_network(workspace: Workspace, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFIELD_GITHUB_API", "https://github.invalid")
    monkeypatch.setenv("DEEPFIELD_CODEFORCES_API", "https://codeforces.invalid")
    for arguments in (("pr", "a/b#1", "--account", "x"), ("codeforces", "ada")):
        told = run_cli("confirm", *arguments, cwd=workspace.root)
        assert told.returncode == 2
        assert "cannot be asked: no network" in told.stderr and told.stderr.count("\n") == 1


def test_start_lays_out_what_is_handed_in_and_grade_finds_it(
    workspace: Workspace, service: Service, run_cli: RunCli
) -> None:
    for slug, command in (("merged-pr", "pr"), ("reproduction", "reproduction"), ("blog", "blog")):
        told = run_cli("start", f"summit/{slug}", cwd=workspace.root)
        assert f"deepfield confirm {command}" in told.stdout and "not written yet" not in told.stdout
        page = " ".join(run_cli("show", f"summit/{slug}", cwd=workspace.root).stdout.split())
        assert f"graded by deepfield confirm {command}" in page
    folder = workspace.folder("summit/merged-pr")
    assert {path.name for path in folder.iterdir()} == {"README.md", "NOTES.md", "pull_request.yaml"}
    address = publish(service)
    (folder / "pull_request.yaml").write_text(f"format_version: 1\nurl: {address}\naccount: ada-l\n", encoding="utf-8")
    assert run_cli("grade", "summit/merged-pr", cwd=workspace.root).returncode == 0
    assert run_cli("grade", cwd=folder).returncode == 0
    assert run_cli("confirm", "pr", cwd=folder).returncode == 0
    # the starters are templates, and no more
    reproduction = run_cli("grade", "summit/reproduction", cwd=workspace.root)
    assert reproduction.returncode == 1 and "artefact-missing" in reproduction.stdout
    blog = run_cli("grade", "summit/blog", cwd=workspace.root)
    assert blog.returncode == 1 and "too-short" in blog.stdout
    refused = run_cli("watch", "summit/blog", cwd=workspace.root)
    assert "graded by a command of its own — deepfield confirm blog" in refused.stderr


def test_a_reproduction_is_verified_at_both_rungs(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    folder = write_reproduction(tmp_path / "paper")
    shown = run_cli("confirm", "reproduction", folder, cwd=workspace.root)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for words in ("verified  summit/reproduction core", "verified  summit/reproduction paper", "86.4 ± 0.3"):
        assert words in shown.stdout
    recorded = entries(workspace, "attempt")
    assert [(entry.rung, entry.solved, entry.score) for entry, _, _ in recorded] == [
        ("core", True, 1.0),
        ("paper", True, 1.0),
    ]
    _, payload, files = recorded[1]
    assert set(payload["measured"]["accuracy"]) == {"0", "1", "2"}
    assert set(payload["artefacts"]) == {f"artefacts/{seed}.npz" for seed in range(3)}
    assert set(files) == {"claims.yaml", "evaluate.py", "README.md", "gaps.md"}
    assert ("summit/reproduction", "paper") in read_facts(workspace).solved
    rule = json.loads(run_cli("show", "reproduce-seminal-paper", "--json", cwd=workspace.root).stdout)["rule"]
    assert (rule["holds"], rule["evidence"]) == (True, "verified")
    for command in (("status",), ("list",), ("history",), ("portfolio",), ("verify",), ("verify", "--regrade")):
        told = run_cli(*command, cwd=workspace.root)
        assert told.returncode == 0, (command, told.stdout, told.stderr)


def test_a_reproduction_that_does_not_hold_is_an_attempt(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    folder = write_reproduction(tmp_path / "paper", seeds=(0, 1))
    told = run_cli("confirm", "reproduction", folder, "--json", "--seed", "3", cwd=workspace.root)
    document = json.loads(told.stdout)
    assert (told.returncode, document["core"]["solved"], document["paper"]["solved"]) == (1, True, False)
    assert document["core"]["seed"] == 3
    assert [entry.solved for entry, _, _ in entries(workspace, "attempt")] == [True, False]


def test_a_post_is_verified_and_its_quality_is_not(
    workspace: Workspace, service: Service, run_cli: RunCli, tmp_path: Path
) -> None:
    for name in ("/paper", "/other"):
        service.says(name, Reply())
    path = write_post(tmp_path / "post", service.url)
    shown = run_cli("confirm", "blog", path, cwd=workspace.root)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "verified  summit/blog core" in shown.stdout and "attest blog-quality" in shown.stdout
    ((entry, payload, files),) = entries(workspace, "attempt")
    assert (entry.problem, entry.rung, entry.solved) == ("summit/blog", "core", True)
    assert payload["isolation"] and files["post.md"] == path.read_bytes()
    rule = json.loads(run_cli("show", "taught-it", "--json", cwd=workspace.root).stdout)["rule"]
    assert [part["holds"] for part in rule["parts"]] == [True, False, False]


def test_a_post_without_a_network_is_not_recorded(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    path = write_post(tmp_path / "post", "http://deepfield.invalid")
    told = run_cli("confirm", "blog", path, cwd=workspace.root)
    assert told.returncode == 2
    assert "no network" in told.stderr and told.stderr.count("\n") == 1
    assert "links_resolve" in told.stdout
    wrong = write_post(tmp_path / "wrong", "http://deepfield.invalid", POST.replace("import helper", "1 / 0"))
    assert run_cli("confirm", "blog", wrong, cwd=workspace.root).returncode == 1
    assert [entry.solved for entry, _, _ in entries(workspace, "attempt")] == [False]


@pytest.mark.parametrize("command", [("confirm", "--help"), ("confirm", "pr", "a/b#1", "--account", "x")])
def test_no_command_of_the_outside_loads_torch(tmp_path: Path, workspace: Workspace, command: tuple[str, ...]) -> None:
    from tests.cli.test_imports import loaded

    _, names = loaded(workspace.root, *command)
    assert names & {"torch", "triton", "numpy", "tokenizers"} == set()
