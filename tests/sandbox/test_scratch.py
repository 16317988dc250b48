"""Files that the grader and a worker share: nothing of the learner's making leads the grader astray."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.sandbox.scratch import read_file, write_file
from tests.sandbox.conftest import Open

KEEPS = """
import os, time

def read(path):
    with open(path, 'rb') as file:
        return file.read()

def note(name, text):
    with open(name, 'a') as file:
        file.write(text)
    return os.getcwd()

def count(folder):
    print('counting')
    number = 0
    while True:
        number += 1
        with open(os.path.join(folder, 'number.tmp'), 'w') as file:
            file.write(str(number))
        os.replace(os.path.join(folder, 'number.tmp'), os.path.join(folder, 'number'))
        time.sleep(0.001)

def at_once():
    return 1

def fails():
    raise ValueError('no')
"""


def test_what_the_grader_writes_the_worker_reads(open_submission: Open) -> None:
    submission = open_submission(KEEPS)
    path = submission.write_file("shards/train_0.bin", b"\x00\x01")
    assert submission.call("read", path) == b"\x00\x01"


def test_what_the_worker_writes_the_grader_reads(open_submission: Open) -> None:
    submission = open_submission(KEEPS)
    assert submission.call("note", "log", "one") == submission.scratch
    assert submission.read_file("log") == b"one"
    assert submission.read_file("nothing") is None


def test_a_killed_worker_is_followed_by_one_with_the_same_files(open_submission: Open) -> None:
    submission = open_submission(KEEPS)
    killed = submission.kill_during(
        "count", submission.scratch, until=lambda: int(submission.read_file("number") or b"0") >= 3
    )
    assert killed
    assert int(submission.read_file("number") or b"0") >= 3
    before = submission.scratch
    submission.call("note", "after", "the kill")
    assert (submission.scratch, submission.read_file("after")) == (before, b"the kill")
    assert "counting" in submission.output()


def test_a_call_that_ends_first_is_not_killed(open_submission: Open) -> None:
    submission = open_submission(KEEPS)
    kept = submission.put([1])
    assert not submission.kill_during("at_once", until=lambda: False)
    assert kept.fetch() == [1]


def test_a_call_that_fails_by_itself_fails_the_check(open_submission: Open) -> None:
    with pytest.raises(CheckFailed) as caught:
        open_submission(KEEPS).kill_during("fails", until=lambda: False)
    assert caught.value.diagnosis == "raised"


def test_a_restart_keeps_the_files_and_nothing_else(open_submission: Open) -> None:
    submission = open_submission("calls = []\n\ndef call():\n    calls.append(1)\n    return len(calls)\n")
    submission.write_file("kept", b"1")
    assert [submission.call("call") for _ in range(2)] == [1, 2]
    submission.restart()
    assert (submission.call("call"), submission.read_file("kept")) == (1, b"1")


def test_data_may_be_read_and_its_neighbours_may_not(open_submission: Open, tmp_path: Path) -> None:
    data, other = tmp_path / "data" / "shard", tmp_path / "data" / "other"
    data.parent.mkdir()
    data.write_bytes(b"tokens")
    other.write_bytes(b"secret")
    submission = open_submission(KEEPS, readable=[str(data)])
    assert submission.call("read", str(data)) == b"tokens"
    if "landlock" in (submission.isolation or ""):
        with pytest.raises(CheckFailed):
            submission.call("read", str(other))


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../out", "a/../../out", "a//b", "."])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    for work in (lambda: write_file(tmp_path, name, b""), lambda: read_file(tmp_path, name)):
        with pytest.raises(SandboxError):
            work()


@pytest.mark.parametrize("name", ["link", "folder/file"])
def test_no_link_is_followed(tmp_path: Path, name: str) -> None:
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    outside.mkdir()
    scratch.mkdir()
    (outside / "file").write_bytes(b"precious")
    (scratch / "link").symlink_to(outside / "file")
    (scratch / "folder").symlink_to(outside)
    assert read_file(scratch, name) is None
    with pytest.raises(SandboxError):
        write_file(scratch, name, b"gone")
    assert (outside / "file").read_bytes() == b"precious"


def test_a_pipe_does_not_hold_the_grader_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_file(tmp_path, "pipe") is None
    with pytest.raises(SandboxError):
        write_file(tmp_path, "pipe", b"")


def test_a_file_is_read_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"0123456789")
    assert read_file(tmp_path, "log", offset=3, maximum_bytes=4) == b"3456"
