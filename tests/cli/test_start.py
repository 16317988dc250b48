"""``init``, ``start`` and ``reset``: what is laid out, and that no file of the learner's is ever overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.journey.workspace import Workspace
from tests.cli.conftest import RIGHT_MEAN, RunHere, belongings, entries_of
from tests.conftest import TINY_PACK, MakeWorkspace

STARTER = (TINY_PACK / "problems/tiny/mean/starter/mean.py").read_text()


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny pack that a test may change."""
    root = tmp_path / "copied"
    shutil.copytree(TINY_PACK, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv(PACKS_VARIABLE, str(root))
    return root


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_first_start_makes_the_workspace(run_here: RunHere, tiny_pack: Path, tmp_path: Path) -> None:
    outcome = run_here("start", "tiny/mean", cwd=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert names_in(tmp_path / "tiny") == {"mean/mean.py", "mean/README.md"}
    assert (tmp_path / ".deepfield" / "progress.db").is_file()
    assert (tmp_path / ".deepfield" / ".gitignore").read_text() == "*\n"
    for words in (
        "The mean, and numbers centred on it",
        "wrote  tiny/mean/mean.py",
        "run    deepfield grade tiny/mean",
    ):
        assert words in outcome.out


def test_no_line_is_wider_than_eighty_columns(
    run_here: RunHere, tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run_here("start", "llm/attention", cwd=tmp_path)
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_a_workspace_is_found_from_inside(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    outcome = run_here("start", "tiny/square", cwd=workspace.folder("tiny/mean"))
    assert outcome.code == 0
    assert (workspace.root / "tiny/square/square.py").is_file()
    assert names_in(workspace.folder("tiny/mean")) == {"mean.py", "README.md"}


def test_starting_again_keeps_what_was_written(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    (workspace.folder("tiny/mean") / "notes.txt").write_text("mine")
    before = belongings(workspace)
    outcome = run_here("start", "tiny/mean", cwd=workspace.root)
    assert outcome.code == 0
    assert "kept   tiny/mean/mean.py" in outcome.out
    before.kept_in(workspace)
    assert names_in(workspace.folder("tiny/mean")) == {"mean.py", "README.md", "notes.txt"}


def test_an_updated_starter_arrives_beside_and_only_once(run_here: RunHere, pack: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    run_here("start", "tiny/mean", cwd=home)
    entry = home / "tiny/mean/mean.py"
    entry.write_text(RIGHT_MEAN)
    (pack / "problems/tiny/mean/starter/mean.py").write_text(STARTER + "\n# new in this version\n")
    outcome = run_here("start", "tiny/mean", cwd=home)
    assert "new version beside yours tiny/mean/mean.new.py" in " ".join(outcome.out.split())
    assert entry.read_text() == RIGHT_MEAN
    assert "new in this version" in (home / "tiny/mean/mean.new.py").read_text()
    run_here("start", "tiny/mean", cwd=home)
    assert names_in(home / "tiny/mean") == {"mean.py", "mean.new.py", "README.md"}


def test_a_starter_that_was_deleted_comes_back(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    entry = workspace.folder("tiny/mean") / "mean.py"
    entry.unlink()
    assert "wrote  tiny/mean/mean.py" in run_here("start", "tiny/mean", cwd=workspace.root).out
    assert entry.read_text() == STARTER


def test_reset_moves_the_old_work_aside(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    (workspace.folder("tiny/mean") / "notes").mkdir()
    (workspace.folder("tiny/mean") / "notes" / "idea.txt").write_text("mine")
    for _ in range(2):  # twice within a second: neither overwrites the other
        assert run_here("reset", "tiny/mean", "--yes", cwd=workspace.root).code == 0
    assert (workspace.folder("tiny/mean") / "mean.py").read_text() == STARTER
    kept = sorted((workspace.private / "aside").rglob("mean.py"))
    assert sorted(path.read_text() for path in kept) == sorted([RIGHT_MEAN, STARTER])
    assert [path.read_text() for path in (workspace.private / "aside").rglob("idea.txt")] == ["mine"]
    assert len(entries_of(workspace, "reset")) == 2


def test_init_twice_changes_nothing(run_here: RunHere, tmp_path: Path) -> None:
    assert "New workspace" in run_here("init", "sub", cwd=tmp_path).out
    before = belongings(Workspace(tmp_path / "sub"))
    outcome = run_here("init", "sub", cwd=tmp_path)
    assert (outcome.code, "This is already a workspace" in outcome.out) == (0, True)
    before.kept_in(Workspace(tmp_path / "sub"))


def test_a_workspace_with_odd_characters(run_here: RunHere, tiny_pack: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a [bold]b \x1b[31m é"
    folder.mkdir()
    outcome = run_here("start", "tiny/mean", cwd=folder)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out
    assert "[bold]b" in outcome.out
    (folder / "tiny/mean/mean.py").write_text(RIGHT_MEAN)
    assert run_here("grade", cwd=folder).code == 0
