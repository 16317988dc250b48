"""The wrong place: no such problem, no workspace, a folder that may not be written, a disk that is full."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import (
    NO_POWERS,
    RESTRAINED,
    RIGHT_MEAN,
    Outcome,
    RunHere,
    belongings,
    entries_of,
    outcome_of,
)
from tests.conftest import MakeWorkspace, RunCli

# Problems


@pytest.mark.parametrize("command", ["start", "grade", "watch", "reset"])
def test_an_unknown_problem(run_here: RunHere, make_workspace: MakeWorkspace, command: str) -> None:
    workspace = make_workspace()
    before = belongings(workspace)
    outcome = run_here(command, "tiny/maen", cwd=workspace.root)
    assert outcome.code == 2
    assert outcome.complaint == 'there is no problem "tiny/maen" — did you mean "tiny/mean"?'
    before.kept_in(workspace)


def test_a_path_that_is_no_problem(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    outcome = run_here("grade", "../../etc/passwd", cwd=make_workspace().root)
    assert outcome.code == 2
    assert "there is no problem" in outcome.complaint


def test_a_problem_without_the_files_that_start_lays_out(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    outcome = run_here("grade", "tiny/square", cwd=workspace.root)
    assert outcome.code == 2
    assert outcome.complaint == "tiny/square: there is no square.py here — deepfield start tiny/square lays it out"


def test_the_entry_file_is_missing(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    (workspace.folder("tiny/mean") / "mean.py").unlink()
    for command in (("grade",), ("grade", "--json"), ("watch",)):
        outcome = run_here(*command, "tiny/mean", cwd=workspace.root)
        assert outcome.code == 2
        assert outcome.complaint.startswith("tiny/mean: there is no mean.py here")
    assert entries_of(workspace) == []


# Workspaces


@pytest.mark.parametrize("command", [("grade",), ("grade", "tiny/mean"), ("watch",), ("reset", "--yes")])
def test_no_workspace(run_here: RunHere, tiny_pack: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    outcome = run_here(*command, cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.complaint == f"{tmp_path}: no workspace here — deepfield start llm/attention makes one"
    assert list(tmp_path.iterdir()) == []


def test_a_head_start_for_nothing_leaves_nothing_behind(run_cli: RunCli, tmp_path: Path) -> None:
    """The warm process begins before it is known that there is no workspace; it must not speak up later."""
    outcome = outcome_of(run_cli("grade", "llm/attention", cwd=tmp_path))
    assert outcome.code == 2
    assert "no workspace here" in outcome.complaint


def test_a_workspace_that_is_named_and_not_there(
    run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFIELD_WORKSPACE", str(tmp_path / "nowhere"))
    outcome = run_here("grade", "llm/attention", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.complaint.startswith(f"{tmp_path / 'nowhere'}: no workspace here")


def test_nothing_was_started_yet(run_here: RunHere, tmp_path: Path) -> None:
    assert run_here("init", cwd=tmp_path).code == 0
    outcome = run_here("grade", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.complaint.startswith("which problem?")


def test_a_file_where_the_workspace_should_be(run_here: RunHere, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    outcome = run_here("init", tmp_path / "file", cwd=tmp_path)
    assert outcome.code == 2
    assert "cannot make a workspace" in outcome.complaint
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_where_the_problem_s_folder_should_be(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    (workspace.root / "tiny" / "square").write_text("mine")
    before = belongings(workspace)
    outcome = run_here("start", "tiny/square", cwd=workspace.root)
    assert outcome.code == 2
    assert "cannot lay out the problem" in outcome.complaint
    before.kept_in(workspace)


@pytest.mark.parametrize("command", ["grade", "start", "watch", "status"])
def test_the_current_folder_is_gone(run_cli: RunCli, tmp_path: Path, command: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    into_nothing = ("sh", "-c", 'rmdir ../gone && exec "$@"', "sh")
    arguments = (command,) if command == "status" else (command, "llm/attention")
    outcome = outcome_of(run_cli(*arguments, cwd=gone, before=into_nothing))
    assert outcome.code == 2
    assert "the current folder is gone" in outcome.complaint


# Words on the command line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("grade", "--jsn"), "No such option: --jsn"),
        (("grad",), "No such command 'grad'"),
        (("grade", "a", "b"), "unexpected extra argument"),
        (("grade", "--seed", "x"), "Invalid value for '--seed'"),
        (("grade", "--seed", "-1"), "Invalid value for '--seed'"),
        (("grade", "--rung", "cor"), '--rung: unknown rung "cor" — did you mean "core"?'),
        (("grade", "--rung", "laptop"), 'tiny/mean has no rung "laptop" — it has core'),
        (("grade", "--only", "mean_match"), 'there is no check "mean_match" — did you mean "mean_matches"?'),
        (("grade", "--data", "junk"), '--data: "junk" is not NAME=PATH'),
        (("grade", "--data", "corpus=x"), '--data: unknown name "corpus"'),
        (("grade", "--all", "nowhere"), "--all: which problem?"),
        (("grade", "tiny/mean", "--all", "nowhere"), "nowhere: no such folder"),
        (("start",), "Missing argument"),
    ],
)
def test_words_that_are_not_understood(
    run_here: RunHere, make_workspace: MakeWorkspace, arguments: tuple[str, ...], words: str
) -> None:
    workspace = make_workspace()
    before = belongings(workspace)
    outcome = run_here(*arguments, cwd=workspace.root)
    assert outcome.code == 2
    assert words in outcome.complaint
    before.kept_in(workspace)
    assert entries_of(workspace) == []


def test_answers_that_decline_change_nothing(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    before = belongings(workspace)
    for answer in ("n\n", ""):
        finished = run_cli("reset", "tiny/mean", cwd=workspace.root, standard_input=answer)
        assert finished.returncode == 130
        assert "nothing was changed" in finished.stderr
    before.kept_in(workspace)


# Folders that may not be written


@pytest.fixture
def lock(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], None]]:
    """Take the right to write from a folder with everything in it, until the end of the test."""
    locked: list[Path] = []

    def take(folder: Path) -> None:
        locked.append(folder)
        _set_modes(folder, writable=False)

    yield take
    for folder in locked:
        _set_modes(folder, writable=True)


def _set_modes(folder: Path, *, writable: bool) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod((0o755 if writable else 0o555) if path.is_dir() else (0o644 if writable else 0o444))


@pytest.mark.parametrize("command", ["init", "start"])
def test_a_new_workspace_in_a_read_only_folder(
    run_cli: RunCli, tiny_pack: Path, tmp_path: Path, lock: Callable[[Path], None], command: str
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    lock(folder)
    outcome = outcome_of(run_cli(command, *["tiny/mean"] * (command == "start"), cwd=folder, before=NO_POWERS))
    assert outcome.code == 2
    assert outcome.complaint.startswith(f"{'.' if command == 'init' else folder}: cannot make a workspace")
    assert list(folder.iterdir()) == []


def test_a_grade_in_a_read_only_workspace_shows_its_verdict_and_says_what_is_lost(
    run_cli: RunCli, make_workspace: MakeWorkspace, lock: Callable[[Path], None]
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    before = belongings(workspace)
    content = workspace.database.read_bytes()
    lock(workspace.root)
    outcome = outcome_of(run_cli("grade", "tiny/mean", cwd=workspace.root, before=NO_POWERS))
    assert outcome.code == 2
    assert "solved: tiny/mean core" in outcome.out
    assert "this verdict could not be recorded" in outcome.complaint
    assert workspace.database.read_bytes() == content
    before.kept_in(workspace)


@pytest.mark.parametrize("command", [("start", "tiny/square"), ("reset", "tiny/mean", "--yes")])
def test_what_writes_refuses_in_a_read_only_workspace(
    run_cli: RunCli, make_workspace: MakeWorkspace, lock: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    before = belongings(workspace)
    lock(workspace.root)
    outcome = outcome_of(run_cli(*command, cwd=workspace.root, before=NO_POWERS))
    assert outcome.code == 2
    assert outcome.complaint
    before.kept_in(workspace)


def test_a_file_that_may_not_be_read(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    entry = workspace.folder("tiny/mean") / "mean.py"
    entry.chmod(0)
    outcome = outcome_of(run_cli("grade", "tiny/mean", cwd=workspace.root, before=NO_POWERS))
    entry.chmod(0o644)
    assert outcome.code == 2
    assert "mean.py: cannot be read: Permission denied" in outcome.complaint
    assert entries_of(workspace) == []


@pytest.mark.parametrize("target", ["nowhere/report.xml", "."])
def test_a_report_that_cannot_be_written_loses_no_attempt(
    run_here: RunHere, make_workspace: MakeWorkspace, target: str
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    outcome = run_here("grade", "tiny/mean", "--junit", target, cwd=workspace.root)
    assert outcome.code == 2
    assert "cannot write" in outcome.complaint
    assert [entry.solved for entry in entries_of(workspace)] == [True]


# Full disks


def refused_by_the_disk(outcome: Outcome) -> bool:
    return outcome.code == 2 and "could not be recorded" in outcome.complaint and "disk refused" in outcome.complaint


def test_a_quota_costs_the_record_of_this_verdict_and_nothing_else(
    run_cli: RunCli, make_workspace: MakeWorkspace
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    assert run_cli("grade", "tiny/mean", cwd=workspace.root).returncode == 0
    before = belongings(workspace)
    limited = (*RESTRAINED, "--file-bytes", "8192")
    outcome = outcome_of(run_cli("grade", "tiny/mean", cwd=workspace.root, before=limited))
    assert "solved: tiny/mean core" in outcome.out
    assert refused_by_the_disk(outcome), outcome
    before.kept_in(workspace)
    assert len(entries_of(workspace)) == 1
    assert run_cli("grade", "tiny/mean", cwd=workspace.root).returncode == 0
    assert len(entries_of(workspace)) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, if this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small disk needs root on Linux")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_costs_the_record_of_this_verdict_and_nothing_else(
    run_cli: RunCli, make_workspace: MakeWorkspace, small_disk: Path
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN, name=str(small_disk / "workspace"))
    assert run_cli("grade", "tiny/mean", cwd=workspace.root).returncode == 0
    before = belongings(workspace)
    ballast = small_disk / "ballast"
    _fill(ballast)
    outcome = outcome_of(run_cli("grade", "tiny/mean", cwd=workspace.root))
    assert "solved: tiny/mean core" in outcome.out
    assert refused_by_the_disk(outcome), outcome
    ballast.unlink()
    before.kept_in(workspace)
    assert run_cli("grade", "tiny/mean", cwd=workspace.root).returncode == 0
    assert len(entries_of(workspace)) == 2


def test_a_full_folder_for_temporary_files_is_not_used(
    run_cli: RunCli, make_workspace: MakeWorkspace, small_disk: Path
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    _fill(small_disk / "ballast")
    finished = run_cli("grade", "tiny/mean", cwd=workspace.root, environment={"TMPDIR": str(small_disk)})
    assert (finished.returncode, finished.stderr) == (0, "")
    assert len(entries_of(workspace)) == 1


def _fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    with path.open("wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
