"""Everything on the road can be shown, found, read and marked as done; what has no grader never gets a grade."""

from __future__ import annotations

import json
from io import StringIO

import pytest

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.kept import CACHE_VARIABLE, cache_folder
from deepfield_cli.content.packs import find_location
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import ContentError, DeepfieldError
from deepfield_cli.journey.gaps import add_gap
from deepfield_cli.journey.item_page import COLLECTIONS, SHELVES, open_item
from deepfield_cli.journey.planned import find_planned, start_planned
from deepfield_cli.journey.reading import find_resource, mark_done, read_done, read_lists
from deepfield_cli.journey.search_index import search
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.console import make_console
from deepfield_cli.render.item import show_item
from tests.conftest import RunCli


def planned_problem() -> str:
    return next(problem.id for problem in read_catalogue().problems if not problem.graded)


def test_every_id_and_alias_has_a_page() -> None:
    roadmap = open_roadmap()
    for name, (kind, identifier) in roadmap.index.items():
        page = open_item(name, None)
        assert (page.kind, page.id) == (kind, identifier)
        assert page.title
    kinds = {kind for kind, _ in roadmap.index.values()}
    assert len(kinds) == 13


@pytest.mark.parametrize("name", ["llm", "kv-cache", "minbpe", "tiny-but-real", "putnam-problem", "if-rl-clicks"])
def test_pages_fit_a_narrow_terminal(name: str) -> None:
    console = make_console(StringIO(), width=60)
    show_item(console, open_item(name, None))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) <= 60 for line in lines if "http" not in line)


@pytest.mark.parametrize("name", [*COLLECTIONS, *SHELVES])
def test_every_collection_lists_its_members(name: str) -> None:
    roadmap = open_roadmap()
    rows = open_item(name, None).sections[0].rows
    assert rows
    assert all(row.name in roadmap.index for row in rows)


def test_a_concept_names_its_problems_and_resources() -> None:
    page = open_item("kv-cache", None)
    names = {section.title: [row.name for row in section.rows] for section in page.sections}
    assert names["problems that exercise it"] == ["llm/speculative"]
    assert names["where to learn it"] == ["gpt-fast", "llms-from-scratch"]


def test_reading_lists_and_done(workspace: Workspace) -> None:
    roadmap = open_roadmap()
    listed = [item.resource.id for one in read_lists(workspace) for item in one.items]
    assert set(listed) == set(roadmap.resources)
    minbpe = find_resource("minbpe")
    assert mark_done(workspace, minbpe)
    assert not mark_done(workspace, minbpe)
    assert list(read_done(workspace)) == ["minbpe"]
    unread = [item.resource.id for one in read_lists(workspace, "llm", unread=True) for item in one.items]
    assert "minbpe" not in unread
    assert "nanogpt" in unread
    assert mark_done(workspace, minbpe, undo=True)
    assert read_done(workspace) == {}
    with pytest.raises(ContentError, match="is a concept, not a resource"):
        find_resource("kv-cache")


def test_search_finds_titles_before_mentions_and_beginnings_of_words(workspace: Workspace) -> None:
    assert search("kv-cache", 3)[0].id == "kv-cache"
    assert "llm/speculative" in [hit.id for hit in search("specul decod", 8)]
    assert "andrej-karpathy" in [hit.id for hit in search("karpathy", 20)]
    assert search("xyzzyplugh", 5) == []
    with pytest.raises(DeepfieldError):
        search(' "* ', 5)


def test_search_falls_back_to_any_word_and_takes_no_query_language() -> None:
    assert search("xyzzyplugh bellman", 5)
    for hostile in ('") OR 1', "NEAR(a b)", "id:*", "a AND", "^kv", "-kv"):
        search(hostile, 3)


def test_the_index_is_kept_and_made_anew_only_when_a_file_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    search("attention", 1)
    kept = list(cache_folder().glob("search-*.db"))
    assert len(kept) == 1
    stamp = kept[0].stat().st_mtime_ns
    search("attention", 1)
    assert kept[0].stat().st_mtime_ns == stamp
    kept[0].write_bytes(b"not a database")
    assert search("attention", 1)
    monkeypatch.setenv(CACHE_VARIABLE, "/proc/nowhere")
    assert search("attention", 1)


def test_your_own_gap_log_is_found(workspace: Workspace) -> None:
    add_gap(workspace, "rl/ppo", "advantage normalisation", "per zebrafish minibatch")
    assert [(hit.kind, hit.id) for hit in search("zebrafish", 5, workspace)] == [("gap", "rl/ppo")]


def test_a_planned_problem_gets_a_brief_and_a_place_for_notes(workspace: Workspace) -> None:
    name = planned_problem()
    problem = find_planned(name)
    assert problem is not None
    report = start_planned(workspace, problem)
    assert report.created == ("README.md", "NOTES.md")
    brief = (report.folder / "README.md").read_text(encoding="utf-8")
    roadmap = open_roadmap()
    assert problem.goal in brief
    assert all(roadmap.resources[reading.resource].url in brief for reading in problem.resources)
    notes = report.folder / "NOTES.md"
    notes.write_text("mine", encoding="utf-8")
    assert start_planned(workspace, problem).kept == ("README.md", "NOTES.md")
    assert notes.read_text(encoding="utf-8") == "mine"


def test_every_planned_problem_can_be_started(workspace: Workspace) -> None:
    for listed in read_catalogue().problems:
        problem = find_planned(listed.id)
        assert (problem is None) == bool(listed.pack)
        if problem is not None:
            start_planned(workspace, problem)


def test_a_planned_problem_is_never_graded(workspace: Workspace, run_cli: RunCli) -> None:
    name = planned_problem()
    with pytest.raises(ContentError, match="its grader is not written yet"):
        find_location(name)
    started = run_cli("start", name, cwd=workspace.root)
    assert started.returncode == 0
    for place in (workspace.root, workspace.folder(name)):
        for arguments in (["grade", name], ["grade"], ["watch"]):
            refused = run_cli(*arguments, cwd=place)
            assert refused.returncode == 2
            assert "its grader is not written yet" in refused.stderr
            assert refused.stderr.count("\n") == 1
    assert "no grader yet" in " ".join(run_cli("show", cwd=workspace.folder(name)).stdout.split())
    status = json.loads(run_cli("status", "--json", cwd=workspace.root).stdout)
    assert status["current"] == name
    assert name not in status["next"]["command"]
    with workspace.record() as ledger:
        assert ledger.count("attempt") == 0


def test_a_longer_name_leads_to_the_problem(workspace: Workspace, run_cli: RunCli) -> None:
    shown = json.loads(run_cli("show", "llm/bpe-tokenizer", "--json", cwd=workspace.root).stdout)
    assert (shown["id"], "checks" in shown) == ("llm/bpe", True)
    assert json.loads(run_cli("show", "llm", "--json", cwd=workspace.root).stdout)["kind"] == "stage"


def test_the_commands(workspace: Workspace, run_cli: RunCli) -> None:
    def run(*arguments: str) -> str:
        return run_cli(*arguments, cwd=workspace.root).stdout

    assert run("open", "minbpe", "--print") == "https://github.com/karpathy/minbpe\n"
    assert "Done" in run("done", "minbpe")
    lists = json.loads(run("resources", "--field", "llm", "--json"))["lists"]
    done = {one["id"] for part in lists for one in part["resources"] if one["done"]}
    assert done == {"minbpe"}
    hits = json.loads(run("search", "doubly", "robust", "--json"))["hits"]
    assert hits[0]["id"] == "doubly-robust-paper"
    assert run_cli("search", "xyzzyplugh", cwd=workspace.root).returncode == 1
    assert run_cli("resources", "--field", "lmm", cwd=workspace.root).returncode == 2
