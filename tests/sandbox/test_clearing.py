"""A folder that a submission wrote to can be measured and removed, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepfield_cli.sandbox import process
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.sandbox.process import folder_bytes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def dig(depth: int, name: str) -> None:
    """Folders within folders, from the current one down."""
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)


def test_a_thousand_folders_within_each_other(folder: Path, tmp_path: Path) -> None:
    """More than Python recurses into."""
    dig(1100, "d")
    Path("file").write_text("x")
    os.chdir(tmp_path)
    remove_tree(folder)
    assert not folder.exists()


def test_links_are_removed_and_not_followed(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    (folder / "link").symlink_to(kept)
    (folder / "inner").mkdir()
    (folder / "inner" / "link").symlink_to(kept)
    os.mkfifo(folder / "inner" / "pipe")
    remove_tree(folder)
    assert not folder.exists()
    assert (kept / "file").read_text() == "x"


def test_folders_without_any_rights(folder: Path) -> None:
    (folder / "outer" / "inner").mkdir(parents=True)
    (folder / "outer" / "inner" / "file").write_text("x")
    (folder / "outer" / "inner").chmod(0)
    (folder / "outer").chmod(0o300)
    remove_tree(folder)
    assert not folder.exists()


def test_a_link_in_its_place_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "link").symlink_to(target)
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "missing")
    assert target.is_dir()


def test_empty_files_and_folders_count_as_blocks(folder: Path) -> None:
    for number in range(10):
        (folder / f"file-{number}").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "data").write_bytes(bytes(100_000))
    (folder / "link").symlink_to("/")
    assert 10 * 4096 + 100_000 <= folder_bytes(folder) < 400_000
    assert folder_bytes(folder / "missing") == 0


def test_what_lies_too_deep_to_be_measured_is_too_much(folder: Path, tmp_path: Path) -> None:
    dig(20, "d" * 250)
    os.chdir(tmp_path)
    assert folder_bytes(folder) > process.MAXIMUM_SCRATCH_BYTES
    remove_tree(folder)
    assert not folder.exists()


def test_measuring_ends_when_it_is_known_to_be_too_much(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAXIMUM_SCRATCH_BYTES", 10_000)
    for number in range(50):
        (folder / f"folder-{number}").mkdir()
        (folder / f"folder-{number}" / "file").touch()
    assert 10_000 < folder_bytes(folder) < 100 * 4096
