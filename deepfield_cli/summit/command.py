"""A command of the learner's, run once in a copy of its folder: what it printed, how it ended, and what held it in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from deepfield_cli.errors import SandboxError
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.process import MAXIMUM_SCRATCH_BYTES, folder_bytes
from deepfield_cli.sandbox.working_time import working_time

# What is kept of what a command prints: its end, where the numbers are and the traceback ends.
_KEPT_BYTES = 64 * 1024
_LOOK_SECONDS = 0.05
_SCRATCH_LOOK_SECONDS = 1.0
# The launcher imports two modules; a busy machine may take its time.
_START_SECONDS = 60.0
_PASSED_ENVIRONMENT = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME")
_TOOLS = ("/bin", "/usr/bin", "/usr/local/bin")
_PYTHONS = frozenset({"python", "python3"})


@dataclass(frozen=True)
class Command:
    """What is to be run, and what it may use.

    Attributes:
        words: the program and its arguments; ``python`` stands for the interpreter.
        seconds: wall-clock limit.
        memory_mb: address space of each of its processes.
        gpu: may use a CUDA device; address space is then not limited.
        readable: files and folders that it may read beside its own.
        environment: variables that it is given.
        python: the interpreter; None for the one that runs deepfield.

    """

    words: Sequence[str]
    seconds: float
    memory_mb: int = 8192
    gpu: bool = False
    readable: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    python: Path | None = None


@dataclass(frozen=True)
class Ran:
    """How it went.

    Attributes:
        status: the exit code, negative for a signal; None if it had to be ended.
        ended_for: why it had to be: timeout or disk.
        printed: the end of its standard output.
        complained: the end of its standard error.
        seconds: wall-clock seconds.
        isolation: what held it in, e.g. ``landlock+seccomp``.

    """

    status: int | None
    ended_for: str | None
    printed: str
    complained: str
    seconds: float
    isolation: str


def run_command(command: Command, folder: Path, scratch: Path) -> Ran:
    """Run it in a folder below the scratch folder; both are its own to write, and nothing else is.

    Raises:
        SandboxError: it could not be confined.

    """
    started = working_time.now()
    with _started(command, folder, scratch) as run:
        ended_for = run.wait(started + command.seconds, scratch)
    isolation, status = run.news.get("isolation"), run.news.get("status")
    complained = run.complained.text()
    if isolation is None:
        raise SandboxError(f"the command cannot be confined: {complained.strip()[-300:] or 'no reason given'}")
    return Ran(status, ended_for, run.printed.text(), complained, working_time.now() - started, isolation)


class _Run:
    """A command under way: the process that watches it, and what comes out."""

    def __init__(self, process: subprocess.Popen[bytes], told: int) -> None:
        self.news: dict[str, Any] = {}
        self._process = process
        self.printed, self.complained = _End(process.stdout), _End(process.stderr)
        self._told = threading.Thread(target=self._listen, args=(told,), daemon=True)
        self._told.start()

    def wait(self, deadline: float, scratch: Path) -> str | None:
        """Until it ends; return why it had to be ended, if it had to be."""
        next_look = working_time.now() + _SCRATCH_LOOK_SECONDS
        room = folder_bytes(scratch) + MAXIMUM_SCRATCH_BYTES
        while self._process.poll() is None:
            now = working_time.now()
            if now > deadline:
                return "timeout"
            if now > next_look:
                if folder_bytes(scratch) > room:
                    return "disk"
                next_look = working_time.now() + _SCRATCH_LOOK_SECONDS
            working_time.sleep(_LOOK_SECONDS)
        return None

    def end(self) -> None:
        """Leave nothing running."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        self._process.wait(_START_SECONDS)
        for thread in (self._told, self.printed, self.complained):
            thread.join(_START_SECONDS)

    def _listen(self, told: int) -> None:
        with os.fdopen(told, "rb") as pipe:
            for line in pipe:
                self.news.update(json.loads(line))


@contextlib.contextmanager
def _started(command: Command, folder: Path, scratch: Path) -> Iterator[_Run]:
    reader, writer = os.pipe()
    wish = json.dumps(_wish(command, folder, scratch, writer))
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "deepfield_cli.summit.launcher", wish],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=[writer],
            start_new_session=True,
        )
    except OSError as error:
        os.close(reader)
        raise SandboxError(f"no process can be started: {error.strerror}") from error
    finally:
        os.close(writer)
    run = _Run(process, reader)
    try:
        yield run
    finally:
        run.end()


def _wish(command: Command, folder: Path, scratch: Path, told: int) -> dict[str, Any]:
    python = str(command.python or sys.executable)
    first, *others = command.words
    cores = os.cpu_count() or 1
    limits = Limits(memory_mb=command.memory_mb, threads=cores, processes=True, gpu=command.gpu)
    environment = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
    environment |= {
        "PATH": os.pathsep.join((os.path.dirname(python), *_TOOLS)),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **command.environment,
    }
    return {
        "command": [python if first in _PYTHONS else first, *others],
        "folder": str(folder),
        "scratch": str(scratch),
        "limits": limits.with_seconds(command.seconds).as_wire(),
        "hidden": _graders(),
        "readable": [*_TOOLS, *_around(python), *map(str, command.readable)],
        "environment": environment,
        "told": told,
        "asked_by": os.getpid(),
    }


def _graders() -> list[str]:
    """Where the suites are: a command has no business there, wherever deepfield is installed."""
    from deepfield_cli.content.packs import packs

    return [str(pack.root / "graders") for pack in packs()]


def _around(python: str) -> list[str]:
    """What an interpreter needs to start: its own folder, the file that says where its libraries are, and these.

    Unlike a worker, which has imported what it needs, it must be able to list the folders of packages. Where deepfield
    is installed among them its suites can be read; there is no suite for what a command measures.
    """
    if python == sys.executable:
        packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        return [*_folders_of([sys.prefix, sys.base_prefix], ("bin", "pyvenv.cfg")), *packages]
    asked = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix); print(sys.base_prefix)"],
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    return [os.path.realpath(python), *_folders_of(asked.stdout.splitlines(), ("bin", "pyvenv.cfg", "lib", "lib64"))]


def _folders_of(prefixes: Sequence[str], names: Sequence[str]) -> list[str]:
    return [os.path.join(prefix, name) for prefix in prefixes for name in names]


class _End(threading.Thread):
    """Reads a pipe to its end and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._kept = b""
        self.start()

    def run(self) -> None:
        """Read on."""
        if self._pipe is None:
            return
        with self._pipe as pipe:
            while part := os.read(pipe.fileno(), _KEPT_BYTES):
                self._kept = (self._kept + part)[-_KEPT_BYTES:]

    def text(self) -> str:
        """What was kept."""
        return self._kept.decode("utf-8", "replace")
