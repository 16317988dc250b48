"""A lock that is looked at: held by a living process, given up by a dead one, and never taken by whoever looks."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deepfield_cli.locks import is_held

HOLDS_UNTIL_ITS_INPUT_ENDS = """
import fcntl, sys
with open(sys.argv[1], "a") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


def test_it_is_held_while_its_process_lives(lock: Path) -> None:
    command = [sys.executable, "-c", HOLDS_UNTIL_ITS_INPUT_ENDS, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        holder.send_signal(signal.SIGKILL)
    assert not is_held(lock)


def test_looking_takes_nothing(lock: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    assert not is_held(lock)
    assert not is_held(lock)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody who looked has it still
        assert is_held(lock)
        assert is_held(lock)
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_lock_that_may_be_shared_is_nobodys_alone(lock: Path) -> None:
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not is_held(lock)


def test_what_is_no_file_is_an_error_and_keeps_nobody_waiting(lock: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_held(lock.with_name("none"))
    link, pipe = lock.with_name("link"), lock.with_name("pipe")
    link.symlink_to(lock)
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="symbolic links"):
        is_held(link)
    assert not is_held(pipe)
