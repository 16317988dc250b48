"""Real workers for submissions that are written in a test, and confined processes for code that needs no worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import deepfield_cli
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import submission_files
from deepfield_cli.sandbox.submission import Submission

# A worker that answers needs a fraction of a second; on a machine that others use too it may have to wait for its turn.
PATIENCE_SECONDS = 60.0

Open = Callable[..., Submission]
Confined = Callable[..., Any]


@pytest.fixture(scope="module")
def pool() -> Iterator[WarmPool]:
    with WarmPool() as opened:
        yield opened


@pytest.fixture
def open_submission(pool: WarmPool, tmp_path: Path) -> Iterator[Open]:
    """``open_submission(source, seconds=..., memory_mb=..., rules=...)``: the source in a worker of its own."""
    opened: list[Submission] = []
    root = tmp_path / "stage"

    def one(
        source: str,
        *,
        seconds: float = PATIENCE_SECONDS,
        files: dict[str, str] | None = None,
        limits: dict[str, Any] | None = None,
        **options: Any,
    ) -> Submission:
        folder = root / str(len(opened))
        (folder / "scratch").mkdir(parents=True)
        (folder / "submission").mkdir()
        texts = {"work.py": source, **(files or {})}
        submission_files({name: text.encode() for name, text in texts.items()}).write_to(folder / "submission")
        blueprint = Blueprint(
            folder=folder / "submission",
            entry="work.py",
            scratch=folder / "scratch",
            limits=replace(Limits(memory_mb=256), **(limits or {})).with_seconds(seconds),
            **options,
        )
        opened.append(Submission(pool, blueprint, call_seconds=seconds))
        return opened[-1]

    yield one
    for submission in opened:
        submission.close()
    pool.tidy()
    remove_tree(root)


@pytest.fixture
def confined(tmp_path: Path) -> Confined:
    """Run code in a process that was confined as a worker is; return what it puts in ``result``.

    ``without=["landlock"]`` gives it a kernel that lacks a wall, ``free=True`` confines it not at all.
    """

    def run(code: str, *, without: tuple[str, ...] = (), free: bool = False, **options: Any) -> Any:
        scratch = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        request = {"code": code, "without": without, "free": free, "scratch": str(scratch), **options}
        finished = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("confined.py"))],
            input=json.dumps(request),
            env={**os.environ, "PYTHONPATH": str(Path(deepfield_cli.__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    return run
