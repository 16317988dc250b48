"""The command line, in this process and in its own, and proof that a learner's work is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger
from tests import processes
from tests.conftest import PATIENCE_SECONDS, cli_command

RESTRAINED = (sys.executable, str(Path(__file__).with_name("restrained.py")))
NO_POWERS = (*RESTRAINED, "--no-powers")

RIGHT_MEAN = """def mean(values):
    return sum(values) / len(values)


def center(x):
    return x - x.sum() / x.size
"""
RIGHT_SQUARE = "def square(number):\n    return number * number\n"
STUCK_MEAN = "import time\n\n\ndef mean(values):\n    time.sleep(600)\n\n\ncenter = mean\n"


@dataclass(frozen=True)
class Outcome:
    """How a command line ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error."""
        assert "Traceback" not in self.out + self.err
        lines = self.err.strip("\n").split("\n")
        assert len(lines) == 1, self.err
        assert lines[0].startswith("deepfield: ")
        return lines[0].removeprefix("deepfield: ")


RunHere = Callable[..., Outcome]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> RunHere:
    """``run_here("grade", cwd=...)``: a command line in this process, 100 columns wide."""

    def run(*arguments: str | Path, cwd: Path) -> Outcome:
        from deepfield_cli.cli.app import run as run_app

        monkeypatch.chdir(cwd)
        monkeypatch.setenv("COLUMNS", "100")
        capfd.readouterr()
        code = run_app([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Outcome(code, said.out, said.err)

    return run


def outcome_of(finished: subprocess.CompletedProcess[str]) -> Outcome:
    """The same for a command that ran in its own process."""
    return Outcome(finished.returncode, finished.stdout, finished.stderr)


@dataclass(frozen=True)
class Belongings:
    """The files of a learner and the entries of their record, at one moment."""

    files: dict[str, bytes]
    entries: list[Entry]

    def kept_in(self, workspace: Workspace) -> None:
        """Everything is still there, unchanged, and the record proves itself; there may be more."""
        now = belongings(workspace)
        assert {name: now.files.get(name) for name in self.files} == self.files
        assert now.entries[: len(self.entries)] == self.entries


def belongings(workspace: Workspace) -> Belongings:
    """What the learner has in the workspace."""
    files = {
        path.relative_to(workspace.root).as_posix(): path.read_bytes()
        for path in workspace.root.rglob("*")
        if path.is_file() and workspace.private not in path.parents
    }
    with Ledger.open(workspace.database, create=False, write=False) as ledger:
        assert ledger.verify().ok
        return Belongings(files, ledger.entries(newest_first=False))


def entries_of(workspace: Workspace, kind: str = "attempt") -> list[Entry]:
    """The entries of one kind, oldest first."""
    with Ledger.open(workspace.database, create=False, write=False) as ledger:
        assert ledger.verify().ok
        return ledger.entries(kind=kind, newest_first=False)


class Running:
    """A command line in a process group of its own, with everything that it starts under one mark."""

    def __init__(self, *arguments: str, cwd: Path, mark: str, environment: dict[str, str], **options: Any) -> None:
        self.mark = f"/nonexistent/{mark}"
        path = f"{os.environ['PATH']}{os.pathsep}{self.mark}"
        self.process = subprocess.Popen(
            cli_command(*arguments),
            cwd=cwd,
            env={**os.environ, "COLUMNS": "100", **environment, "PATH": path},
            start_new_session=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8", **options},
        )

    def family(self) -> list[processes.Found]:
        """The processes that it has started and that still run, itself among them."""
        return processes.marked_processes(self.mark)

    def wait_for_workers(self, least: int = 1) -> None:
        """Wait until it has so many workers: the family beyond the command itself and its warm process."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.family()) < least + 2:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def send(self, number: signal.Signals, *, group: bool = True) -> None:
        """Send a signal, as a terminal does to all that it started, or to the command alone."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self) -> Outcome:
        """Wait for its end, and for that of everything it started."""
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        left = processes.wait_until_gone(self.mark)
        assert not left, left
        return Outcome(self.process.returncode, out or "", err or "")


Start = Callable[..., Running]


@pytest.fixture
def start_cli(request: pytest.FixtureRequest) -> Iterator[Start]:
    """``start_cli("grade", cwd=...)``: a command line that goes on beside the test."""
    started: list[Running] = []

    def start(*arguments: str, cwd: Path, environment: dict[str, str] | None = None, **options: Any) -> Running:
        mark = f"{os.getpid()}-{abs(hash(request.node.nodeid))}-{len(started)}"
        started.append(Running(*arguments, cwd=cwd, mark=mark, environment=environment or {}, **options))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.send(signal.SIGKILL)
        for stream in (running.process.stdout, running.process.stderr):
            if stream is not None:
                stream.close()
        running.process.wait()
