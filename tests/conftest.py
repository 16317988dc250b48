"""What all tests stand on: a clean home and environment, a tiny pack, a workspace, and the program as a black box."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import settings
from rich.console import Console

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.kept import CACHE_VARIABLE
from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.journey.workspace import Workspace, create_workspace
from deepfield_cli.render.console import make_console
from tests import processes

TINY_PACK = Path(__file__).parent / "packs" / "tiny"
# Long enough for the slowest machine: it ends a test that hangs, and decides nothing.
PATIENCE_SECONDS = 240.0
_TERMINAL_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "COLUMNS", "LINES")

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeWorkspace = Callable[..., Workspace]

# Tests run two at a time: threads of theirs that wait for each other would take the processor from the next test.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Triton decorates its own functions when it is imported first, whoever does that: for these tests, to be interpreted.
with pytest.MonkeyPatch.context() as _patch, contextlib.suppress(ImportError):
    _patch.setenv("TRITON_INTERPRET", "1")
    import triton  # noqa: F401

# No deadline: how long an example takes says nothing on a machine that others use too.
settings.register_profile("deepfield", deadline=None, max_examples=60)
settings.load_profile("deepfield")


def pytest_configure(config: pytest.Config) -> None:
    """Mark everything that the tests start."""
    processes.mark_descendants()


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there by now stays: looking through all of it for cycles, again and again, takes a tenth of the time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not run, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason(report) for report in skipped)
    if reasons:
        terminalreporter.section(f"SKIPPED {len(skipped)} tests")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count:4} x {reason}")


def _reason(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """No process that a test started outlives the tests."""
    yield
    left = processes.wait_until_gone()
    processes.end(left)
    assert not left, f"processes left running after the tests: {left}"


@pytest.fixture(scope="module", autouse=True)
def _no_warm_process_left() -> Iterator[None]:
    """The same for warm processes, module by module: so that it is told whose was left."""
    before = _warm_processes()
    yield
    left = processes.wait_until_gone(patience_seconds=10.0) if _warm_processes() - before else []
    left = [found for found in left if found.pid in _warm_processes() - before]
    processes.end(left)
    assert not left, f"warm processes left by this module: {left}"


def _warm_processes() -> set[int]:
    return {found.pid for found in processes.marked_processes() if "sandbox.zygote" in found.command}


@pytest.fixture(scope="session")
def kept_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first command of a new home keeps in its cache: the catalogue and the roadmap, read from YAML once."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        for extra in ("", str(TINY_PACK)):
            patch.setenv(PACKS_VARIABLE, extra)
            read_catalogue()
    return folder


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, kept_once: Path
) -> Path:
    """A home of its own, in which a command has run before, and no settings of whoever runs the tests; the home."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(kept_once, home / "cache" / "deepfield")
    for name in [name for name in os.environ if name.startswith(("DEEPFIELD_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in _TERMINAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TMPDIR", str(home))  # where the folders of grades that are killed stay
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    return home


@pytest.fixture
def tiny_pack(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny pack, beside the built-in one."""
    monkeypatch.setenv(PACKS_VARIABLE, str(TINY_PACK))
    return TINY_PACK


@pytest.fixture
def make_workspace(tiny_pack: Path, tmp_path: Path) -> MakeWorkspace:
    """``make_workspace("tiny/mean", source)``: a workspace with that problem, and the source as its entry file."""

    def make(problem: str = "tiny/mean", source: str | bytes | None = None, *, name: str = "workspace") -> Workspace:
        from deepfield_cli.content.packs import find_location
        from deepfield_cli.journey.starting import start_problem

        workspace, _ = create_workspace(tmp_path / name)
        location = find_location(problem)
        start_problem(workspace, location)
        if source is not None:
            content = source if isinstance(source, bytes) else source.encode()
            (workspace.folder(problem) / location.load().entry).write_bytes(content)
        return workspace

    return make


@pytest.fixture
def run_cli() -> RunCli:
    """``run_cli("grade", cwd=...)``: the program in a process of its own, without a terminal, 100 columns wide."""

    def run(
        *arguments: str | Path,
        cwd: Path,
        width: int = 100,
        environment: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        standard_input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, *cli_command(*arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": str(width), **(environment or {})},
            input=standard_input,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    return run


def cli_command(*arguments: str | Path) -> list[str]:
    """The command line that starts the program, from whichever folder."""
    return [sys.executable, "-P", "-m", "deepfield_cli", *map(str, arguments)]


@pytest.fixture
def console() -> Console:
    """A console 100 columns wide that writes to memory: ``console.file.getvalue()``."""
    return make_console(StringIO(), width=100)
