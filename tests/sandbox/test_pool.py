"""Processes come and go as they should: none is left over, and one that is lost is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import deepfield_cli
from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.sandbox import seccomp
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.submission import Submission
from tests import processes as running
from tests.sandbox.conftest import PATIENCE_SECONDS, Open

ANSWERING = "import os\n\ndef work(*arguments):\n    return os.getpid()\n"
DAEMON = """
import os, time

def work():
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(write_end, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    os.wait()
    return int(os.read(read_end, 20))
"""
IMMORTAL = """
import ctypes, os, signal, time

def work():
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
    return os.getpid()
"""


def gone(pid: int) -> bool:
    """Whether a process has ended, given time for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def test_every_worker_is_a_process_of_its_own(open_submission: Open) -> None:
    first, second = open_submission(ANSWERING), open_submission(ANSWERING)
    assert first.call("work") == first.call("work")
    assert first.call("work") != second.call("work")


def test_a_killed_worker_costs_only_itself(open_submission: Open) -> None:
    first, second = open_submission(ANSWERING), open_submission(ANSWERING)
    pid = first.call("work")
    second.call("work")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(CheckFailed):
        first.call("work")
    assert second.call("work") != pid


def test_processes_that_a_worker_left_behind_are_ended(open_submission: Open) -> None:
    """Where a problem allows processes, a grandchild whose parent has ended is ended with the worker."""
    submission = open_submission(DAEMON, limits={"processes": True})
    pid = submission.call("work")
    assert Path(f"/proc/{pid}").exists()
    process = submission._started()
    process.close()
    assert gone(pid)


def test_closing_the_pool_ends_workers_that_do_not_want_to(tmp_path: Path) -> None:
    with WarmPool() as pool:
        submission = alone(pool, tmp_path, IMMORTAL)
        pid = submission.call("work")
        submission.close()
    assert gone(pid)


def test_a_grader_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """kill -9 gives nobody a chance to tidy up."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(deepfield_cli.__file__).parents[1])!r})
from pathlib import Path
from deepfield_cli.sandbox.pool import WarmPool
from tests.sandbox.test_pool import IMMORTAL, alone
pool = WarmPool()
print(alone(pool, Path({str(tmp_path)!r}), IMMORTAL).call("work"), flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        pid = int(grader.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        grader.kill()
    assert gone(pid)


def test_a_lost_warm_process_is_replaced(tmp_path: Path) -> None:
    with WarmPool() as pool:
        first = alone(pool, tmp_path / "first", ANSWERING)
        pid = first.call("work")
        for zygote in pool._zygotes.values():
            os.kill(zygote.pid, signal.SIGKILL)
        assert gone(pid)
        with pytest.raises(SandboxError, match="the warm process was lost"):  # nobody's failure
            first.call("work")
        second = alone(pool, tmp_path / "second", ANSWERING)
        assert second.call("work") != pid
        for submission in (first, second):
            submission.close()


def test_a_module_that_is_missing_is_the_machines_fault(tmp_path: Path) -> None:
    with WarmPool() as pool, pytest.raises(SandboxError, match="no_such_module"):
        alone(pool, tmp_path, ANSWERING, preload=("no_such_module",)).call("work")


@pytest.mark.skipif(not seccomp.available(), reason="no seccomp filter for this machine")
def test_a_worker_inherits_nothing_but_its_socket_and_its_output(open_submission: Open) -> None:
    source = """
import os, stat

def work():
    found = {}
    for descriptor in range(256):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        found[descriptor] = "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else "device"
    return found
"""
    assert open_submission(source).call("work") == {0: "device", 1: "pipe", 2: "pipe", 3: "socket"}


def test_a_worker_sees_no_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPFIELD_SECRET", "key")
    with WarmPool() as pool:
        source = "import os, sys\n\ndef work():\n    return [dict(os.environ), sys.argv]\n"
        submission = alone(pool, tmp_path, source)
        environment, arguments = submission.call("work")
        submission.close()
    assert "key" not in str((environment, arguments))
    assert {"HOME", "TMPDIR", "OMP_NUM_THREADS"} <= set(environment)
    assert environment["HOME"] != os.environ["HOME"]


def test_workers_do_not_see_each_others_files(open_submission: Open) -> None:
    """What one check leaves on the disk is no help to the next."""
    source = """
import glob, os

def work():
    with open("left", "w") as file:
        file.write("x")
    found = []
    for folder, _, names in os.walk(os.path.dirname(os.getcwd())):
        found += names
    return [found, os.getcwd(), os.listdir()]
"""
    first = open_submission(source).call("work")
    second = open_submission(source).call("work")
    assert first[1] != second[1]
    assert second[2] == ["left"]


def test_what_a_worker_may_start_ends_with_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path}")  # handed down: by it the family is known
    source = """
import os, time

def work():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return True
"""
    with WarmPool() as pool:
        submission = alone(pool, tmp_path, source, processes=True)
        assert submission.call("work")
        assert len(running.marked_processes(str(tmp_path))) >= 3  # the warm process, the worker, what it left behind
        submission.close()
    assert running.wait_until_gone(str(tmp_path)) == []


def alone(
    pool: WarmPool, folder: Path, source: str, *, preload: tuple[str, ...] = (), processes: bool = False
) -> Submission:
    """A submission in a pool of its own."""
    for name in ("submission", "scratch"):
        (folder / name).mkdir(parents=True)
    (folder / "submission" / "work.py").write_text(source)
    blueprint = Blueprint(
        folder=folder / "submission",
        entry="work.py",
        scratch=folder / "scratch",
        limits=Limits(memory_mb=256, processes=processes).with_seconds(PATIENCE_SECONDS),
        preload=preload,
    )
    return Submission(pool, blueprint, call_seconds=PATIENCE_SECONDS)
