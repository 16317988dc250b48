"""A clean copy holds plain files, as a stranger would get them, and its digest is that of their names and contents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.summit import clean_copy
from deepfield_cli.summit.clean_copy import copy_folder


def lay_out(folder: Path) -> Path:
    (folder / "inner" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (folder / "inner" / "deep" / "b.bin").write_bytes(bytes(3000))
    (folder / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run").chmod(0o755)
    return folder


def test_plain_files_and_nothing_else(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "source")
    for name in (".git", "__pycache__", ".venv"):
        (source / name).mkdir()
        (source / name / "x").write_text("x", encoding="utf-8")
    (source / "link").symlink_to(source / "a.txt")
    (source / "folder").symlink_to(source / "inner")
    os.mkfifo(source / "pipe")
    copied = copy_folder(source, tmp_path / "target")
    assert set(copied.sizes) == {"a.txt", "inner/deep/b.bin", "run"}
    found = {
        path.relative_to(tmp_path / "target").as_posix() for path in (tmp_path / "target").rglob("*") if path.is_file()
    }
    assert found == set(copied.sizes)
    assert os.access(tmp_path / "target" / "run", os.X_OK)
    assert not os.access(tmp_path / "target" / "a.txt", os.X_OK)


def test_the_digest_knows_names_and_contents(tmp_path: Path) -> None:
    digest = copy_folder(lay_out(tmp_path / "one"), tmp_path / "copy1").digest
    assert copy_folder(lay_out(tmp_path / "two"), tmp_path / "copy2").digest == digest
    (tmp_path / "two" / "a.txt").write_text("b", encoding="utf-8")
    assert copy_folder(tmp_path / "two", tmp_path / "copy3").digest != digest
    (tmp_path / "one" / "a.txt").rename(tmp_path / "one" / "c.txt")
    assert copy_folder(tmp_path / "one", tmp_path / "copy4").digest != digest


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 2000), ("MOST_FILES", 2)])
def test_what_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(clean_copy, limit, value)
    with pytest.raises(WorkspaceError):
        copy_folder(lay_out(tmp_path / "source"), tmp_path / "target")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be read"):
        copy_folder(tmp_path / "none", tmp_path / "target")
