"""Folders of grades that were killed are removed by a later grade, and those of living ones never."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepfield_cli.errors import SandboxError
from deepfield_cli.grading.leftovers import PREFIX, make_held_folder, remove_leftovers
from deepfield_cli.grading.stage import Stage
from tests.grading.conftest import tiny

LONG_AGO = (1_000_000_000, 1_000_000_000)
MAKES_ONE_AND_DIES = """
import os
from deepfield_cli.grading.leftovers import make_held_folder
print(make_held_folder()[0], flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def abandoned() -> Path:
    finished = subprocess.run([sys.executable, "-c", MAKES_ONE_AND_DIES], capture_output=True, text=True, check=False)
    assert finished.returncode == -9
    return Path(finished.stdout.strip())


def test_the_folder_of_a_killed_grade_is_removed_whatever_lies_in_it(temporary: Path) -> None:
    folder = abandoned()
    (folder / "scratch" / "deep").mkdir(parents=True)
    (folder / "scratch" / "deep").chmod(0)
    os.utime(folder, LONG_AGO)
    remove_leftovers()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_living_grade_is_not(temporary: Path) -> None:
    folder, lock = make_held_folder()
    os.utime(folder, LONG_AGO)
    remove_leftovers()
    assert folder.is_dir()
    os.close(lock)
    remove_leftovers()
    assert not folder.exists()


def test_a_folder_that_was_only_just_made_is_not(temporary: Path) -> None:
    folder = abandoned()
    remove_leftovers()
    assert folder.is_dir()


def test_what_only_has_such_a_name_is_not(temporary: Path) -> None:
    (temporary / f"{PREFIX}mine").mkdir()
    (temporary / f"{PREFIX}notes.txt").write_text("mine")
    (temporary / f"{PREFIX}link").symlink_to("/")
    for path in temporary.iterdir():
        os.utime(path, LONG_AGO, follow_symlinks=False)
    remove_leftovers()
    assert len(list(temporary.iterdir())) == 3


def test_a_stage_leaves_nothing(temporary: Path) -> None:
    stage = Stage(tiny("tiny/mean"))
    assert len(list(temporary.iterdir())) == 1
    stage.remove()
    assert list(temporary.iterdir()) == []


def test_no_room_for_a_stage_is_told_in_one_line(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "nowhere"))
    with pytest.raises(SandboxError) as caught:
        Stage(tiny("tiny/mean"))
    assert str(caught.value) == (
        f"{temporary}: there is no room for the grade: No such file or directory — free some space, or set TMPDIR"
    )
