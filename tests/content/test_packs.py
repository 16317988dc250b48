"""Packs: what they hold, which comes first, and what is told when a problem or a pack is not there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from deepfield_cli.content.packs import (
    PACKS_VARIABLE,
    Pack,
    builtin_pack,
    find_location,
    find_problem,
    packs,
    problem_ids,
)
from deepfield_cli.errors import ContentError
from tests.conftest import TINY_PACK

TINY = Pack("tiny", TINY_PACK)


@pytest.fixture
def copied_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny pack that a test may break, beside the built-in one."""
    root = tmp_path / "copied"
    shutil.copytree(TINY_PACK, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv(PACKS_VARIABLE, str(root))
    return root


def refused(problem_id: str) -> str:
    with pytest.raises(ContentError) as caught:
        find_problem(problem_id)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_pack_knows_its_problems_by_their_folders() -> None:
    assert TINY.problem_ids() == ["tiny/descent", "tiny/impatient", "tiny/mean", "tiny/square", "tiny/tensor"]


def test_every_problem_of_every_pack_loads(tiny_pack: Path) -> None:
    for name in problem_ids():
        problem, location = find_problem(name)
        assert problem.id == name == location.id
        assert location.starter.joinpath(problem.entry).is_file()
        assert location.brief.is_file()
        assert location.solutions()


def test_the_parts_of_a_problem_have_their_places() -> None:
    location = TINY.location("tiny/mean")
    assert [path.name for path in location.solutions()] == ["loop.py", "sums.py"]
    assert [path.name for path in location.wrongs()] == ["forgets_the_last.py", "never_divides.py"]
    assert location.grader == TINY_PACK / "graders" / "tiny" / "mean"


def test_caches_and_drafts_are_no_submissions(copied_pack: Path) -> None:
    folder = copied_pack / "graders/tiny/mean/solutions"
    (folder / "__pycache__").mkdir()
    (folder / "_draft.py").write_text("")
    (folder / "notes.md").write_text("")
    (folder / "several_files").mkdir()
    names = [path.name for path in find_location("tiny/mean").solutions()]
    assert names == ["loop.py", "several_files", "sums.py"]


# Which pack


def test_the_built_in_pack_comes_first_and_the_others_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        shutil.copytree(TINY_PACK, tmp_path / name)
    monkeypatch.setenv(PACKS_VARIABLE, os.pathsep.join([str(tmp_path / "two"), "", str(tmp_path / "one")]))
    assert [pack.name for pack in packs()] == [builtin_pack().name, "two", "one"]
    assert find_location("tiny/mean").pack.name == "two"
    assert problem_ids().count("tiny/mean") == 1


def test_a_pack_may_be_named_from_the_home_folder(monkeypatch: pytest.MonkeyPatch, clean_environment: Path) -> None:
    shutil.copytree(TINY_PACK, clean_environment / "mine")
    monkeypatch.setenv(PACKS_VARIABLE, "~/mine")
    assert find_location("tiny/mean").pack.root == clean_environment / "mine"


def test_a_folder_that_is_no_pack_is_told_with_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path))
    with pytest.raises(ContentError) as caught:
        packs()
    assert str(caught.value) == f"{tmp_path}: not a pack: it has no problems/ folder — correct DEEPFIELD_PACKS"


# What is not there


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("tiny/maen", 'did you mean "tiny/mean"?'),
        ("tiny/men", 'did you mean "tiny/mean"?'),
        ("mean", 'did you mean "tiny/mean"?'),
        ("llm/atention", 'did you mean "llm/attention"?'),
        ("xyz/qwerty", "deepfield list shows all of them"),
        ("", "deepfield list shows all of them"),
    ],
)
def test_an_unknown_problem_is_told_with_its_near_miss(tiny_pack: Path, wanted: str, hint: str) -> None:
    assert refused(wanted) == f'there is no problem "{wanted}" — {hint}'


@pytest.mark.parametrize(
    "wanted",
    [
        "../tiny",
        "tiny/..",
        "tiny/../tiny/mean",
        "/etc/passwd",
        "tiny/mean/problem.yaml",
        "tiny/mean\0",
        "a" * 5000,
        "a" * 300 + "/b",
    ],
)
def test_no_path_gets_out_of_a_pack(tiny_pack: Path, wanted: str) -> None:
    assert "there is no problem" in refused(wanted)


# What is broken


def test_an_id_that_is_not_its_folder_s_is_refused(copied_pack: Path) -> None:
    path = copied_pack / "problems/tiny/mean/problem.yaml"
    path.write_text(path.read_text().replace("id: tiny/mean", "id: tiny/median"))
    assert refused("tiny/mean") == f'{path}: id is "tiny/median" but the folder says "tiny/mean"'


def test_a_broken_declaration_is_told_with_file_line_and_near_miss(copied_pack: Path) -> None:
    path = copied_pack / "problems/tiny/mean/problem.yaml"
    path.write_text(path.read_text().replace("hints:", "hint:"))
    line = (
        path.read_text().split("\n").index(next(x for x in path.read_text().split("\n") if x.startswith("hint:"))) + 1
    )
    assert refused("tiny/mean") == f'{path}:{line}: unknown key "hint" (at hint) — did you mean "hints"?'


def test_a_broken_problem_does_not_hide_the_others(copied_pack: Path) -> None:
    (copied_pack / "problems/tiny/mean/problem.yaml").write_text("a: [")
    assert find_problem("tiny/square")[0].id == "tiny/square"
    assert "tiny/mean" in problem_ids()


# Digest


def test_the_digest_changes_with_every_file_that_decides(copied_pack: Path) -> None:
    location = find_location("tiny/mean")
    digests = [location.suite_digest()]
    for path in (location.yaml, location.grader / "suite.py", location.grader / "oracle.py"):
        path.write_text(path.read_text() + "\n# changed\n")
        digests.append(location.suite_digest())
    (location.grader / "probe.py").write_text("")
    digests.append(location.suite_digest())
    assert len(set(digests)) == 5


def test_the_digest_does_not_change_with_what_decides_nothing(copied_pack: Path) -> None:
    location = find_location("tiny/mean")
    before = location.suite_digest()
    location.brief.write_text("# Another brief")
    (location.grader / "solutions" / "another.py").write_text("")
    (location.grader / "__pycache__").mkdir(exist_ok=True)
    assert location.suite_digest() == before
    assert Pack("elsewhere", copied_pack).location("tiny/mean").suite_digest() == before
