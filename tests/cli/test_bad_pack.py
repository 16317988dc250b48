"""A pack that is not well formed: file, line and near miss, whichever command meets it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE
from tests.cli.conftest import RIGHT_MEAN, RunHere, belongings, entries_of
from tests.conftest import TINY_PACK, MakeWorkspace

YAML = "problems/tiny/mean/problem.yaml"
SUITE = "graders/tiny/mean/suite.py"


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny pack that a test may break."""
    root = tmp_path / "copied"
    shutil.copytree(TINY_PACK, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def line_of(path: Path, part: str) -> int:
    text = path.read_text()
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("command", ["start", "grade", "watch"])
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("hints:", "hint:", 'unknown key "hint" (at hint) — did you mean "hints"?'),
        ("version: 1\ntitle", "version: no\ntitle", '"no" could be a boolean — write true or false, or quote it: "no"'),
        ("title: ", "entry: x.py\ntitle: ", 'duplicate key "entry"'),
        ("summary: ", "summary: [", "not valid YAML: "),
        ("summary: ", "summary: &anchor ", "anchors and aliases are not used here"),
    ],
)
def test_a_broken_declaration(
    run_here: RunHere,
    make_workspace: MakeWorkspace,
    pack: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    before: str,
    after: str,
    words: str,
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    kept = belongings(workspace)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    path = pack / YAML
    path.write_text(path.read_text().replace(before, after, 1))
    outcome = run_here(command, "tiny/mean", cwd=workspace.root)
    assert outcome.code == 2
    assert words in outcome.complaint
    place, _, rest = outcome.complaint.removeprefix(f"{path}:").partition(":")
    assert place.isdigit(), rest
    kept.kept_in(workspace)
    assert entries_of(workspace) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("import a_library_that_nobody_has\n", "its grader needs the package a_library_that_nobody_has — pip install"),
        ("def broken(:\n", "its grader cannot be loaded: SyntaxError"),
        ("1 / 0\n", "its grader cannot be loaded: ZeroDivisionError"),
    ],
)
def test_a_suite_that_cannot_be_loaded(
    run_here: RunHere,
    make_workspace: MakeWorkspace,
    pack: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    words: str,
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    suite = pack / SUITE
    suite.write_text(suite.read_text() + "\n" + change)
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 2
    assert words in outcome.complaint
    assert entries_of(workspace) == []


def test_a_check_that_breaks_is_no_failure_of_the_learner(
    run_here: RunHere, make_workspace: MakeWorkspace, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    suite = pack / SUITE
    suite.write_text(suite.read_text().replace('    expect_unchanged(kept, x, what="x")\n', "    assert x is None\n"))
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 3
    assert "not your failure" in outcome.out
    assert "no verdict" in outcome.out
    assert "Traceback" not in outcome.out + outcome.err
    assert entries_of(workspace) == []
    assert [entry.score for entry in entries_of(workspace, "fault")] == [None]


def test_a_module_to_preload_that_is_not_installed(
    run_here: RunHere, make_workspace: MakeWorkspace, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))
    path = pack / YAML
    path.write_text(path.read_text().replace("preload: [numpy]", "preload: [numpy, a_library_that_nobody_has]"))
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 3
    assert "a module that this problem needs cannot be imported: a_library_that_nobody_has" in outcome.complaint
    assert entries_of(workspace) == []
    assert entries_of(workspace, "fault") == []


def test_a_folder_that_is_no_pack(run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path))
    outcome = run_here("start", "llm/attention", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.complaint == f"{tmp_path}: not a pack: it has no problems/ folder — correct DEEPFIELD_PACKS"
