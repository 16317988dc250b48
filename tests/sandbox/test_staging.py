"""What is graded is a copy by content: no links, no devices, no more than is needed, no name that leads out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.sandbox import staging
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission, submission_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "submission"
    made.mkdir()
    (made / "work.py").write_text("x = 1\n")
    return made


def test_files_are_read_by_content(folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "part" / "more.py").write_text("y = 2\n")
    found = read_submission(folder, "work.py")
    assert dict(found.files) == {"part/more.py": b"y = 2\n", "work.py": b"x = 1\n"}
    assert found.digest == submission_files(found.files).digest


def test_one_file_stands_for_the_entry(folder: Path) -> None:
    assert dict(read_submission(folder / "work.py", "other.py").files) == {"other.py": b"x = 1\n"}


def test_what_no_submission_consists_of_is_passed_over(folder: Path) -> None:
    for name in ("__pycache__", ".git", ".venv", ".deepfield", ".ruff_cache", "node_modules"):
        (folder / name).mkdir()
        (folder / name / "file.py").write_text("no")
    for name in ("work.pyc", "work.py~", ".work.py.swp", ".DS_Store"):
        (folder / name).write_text("no")
    assert list(read_submission(folder, "work.py").files) == ["work.py"]


def test_links_and_special_files_are_left_out(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("key")
    (folder / "linked.py").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(tmp_path / "missing")
    os.mkfifo(folder / "pipe.py")
    assert list(read_submission(folder, "work.py").files) == ["work.py"]


def test_a_sparse_file_is_refused_without_being_read(folder: Path) -> None:
    with open(folder / "data.bin", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(WorkspaceError, match="too large: at most 500 files and 32 MB"):
        read_submission(folder, "work.py")
    with pytest.raises(WorkspaceError, match="too large"):
        read_submission(folder / "data.bin", "work.py")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_submission(path: str) -> None:
    with pytest.raises(WorkspaceError, match="not a file"):
        read_submission(Path(path), "work.py")


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(WorkspaceError, match="not a file"):
        read_submission(folder / "pipe", "work.py")


def test_together_files_may_be_as_large_as_one_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAXIMUM_BYTES", 100)
    (folder / "a.txt").write_bytes(b"x" * 94)
    assert len(read_submission(folder, "work.py").files) == 2
    (folder / "b.txt").write_bytes(b"x")
    with pytest.raises(WorkspaceError, match="too large"):
        read_submission(folder, "work.py")


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(staging.MAXIMUM_FILES - 1):
        (folder / f"{number}.txt").touch()
    assert len(read_submission(folder, "work.py").files) == staging.MAXIMUM_FILES
    (folder / "one-more.txt").touch()
    with pytest.raises(WorkspaceError, match="too large"):
        read_submission(folder, "work.py")
    monkeypatch.setattr(staging, "_MAXIMUM_ENTRIES", 10)
    with pytest.raises(WorkspaceError, match="too large"):
        read_submission(folder, "work.py")


def test_folders_beyond_any_sense_are_not_followed(folder: Path) -> None:
    deep = folder
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "hidden.py").touch()
    assert list(read_submission(folder, "work.py").files) == ["work.py"]


@pytest.mark.parametrize("name", [b"\xff.py", b"a\nb.py", b"\x1b[31mred.py", "right\u202eleft.py".encode()])
def test_names_that_cannot_be_printed_are_refused(folder: Path, name: bytes) -> None:
    (Path(os.fsdecode(bytes(folder) + b"/" + name))).touch()
    with pytest.raises(WorkspaceError, match="a name that cannot be printed") as caught:
        read_submission(folder, "work.py")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", "a//b.py", "./a.py", "", "a\0.py"])
def test_a_record_cannot_write_outside(tmp_path: Path, name: str) -> None:
    """A record of attempts may come from somewhere else; its names are not to be believed."""
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(WorkspaceError, match="leads out"):
        SubmissionFiles({name: b"x"}, "").write_to(target)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="there is no submission here"):
        read_submission(tmp_path / "missing", "work.py")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    with pytest.raises(WorkspaceError, match="there is no submission here"):
        read_submission(tmp_path / "dangling", "work.py")
