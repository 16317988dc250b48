"""A bench: checks written in a test, run against a submission written in a test, in real workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.content.packs import Pack, ProblemLocation
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.running import Run
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import Check, CheckFunction, Suite
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import submission_files
from tests.conftest import TINY_PACK

RIGHT = "def square(number):\n    return number * number\n"
STUCK = "import time\n\ndef square(number):\n    time.sleep(600)\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[WarmPool]:
    """Workers for all tests of a module."""
    with WarmPool() as opened:
        yield opened


def tiny(problem: str) -> ProblemLocation:
    """A problem of the tiny pack, whatever the environment says."""
    return Pack("tiny", TINY_PACK).location(problem)


def check(function: CheckFunction, **options: Any) -> Check:
    """One check, outside of any suite's file."""
    suite = Suite("tiny/square")
    suite.check(**{"timeout_seconds": 60.0, **options})(function)
    return suite.checks[0]


class Bench:
    """Runs checks of a test's own against a submission to tiny/square."""

    def __init__(self, pool: WarmPool) -> None:
        self.pool = pool
        self.stages: list[Stage] = []

    def prepare(self, source: str = RIGHT, **options: Any) -> Run:
        """A run that has not begun."""
        stage = Stage(tiny("tiny/square"))
        self.stages.append(stage)
        stage.lay_out(submission_files({"square.py": source.encode()}))
        prepared: dict[str, Any] = {
            "problem": tiny("tiny/square").load(),
            "seed": 1,
            "open_submission": partial(stage.submission, self.pool),
            "open_shipped": partial(stage.shipped, self.pool),
            **options,
        }
        return Run(**prepared)

    def run(
        self, checks: Sequence[Check], source: str = RIGHT, *, parallel: int = 2, **options: Any
    ) -> dict[str, CheckResult]:
        """Results by the name of their check, in the order in which the run returned them."""
        results = self.prepare(source, **options).run(checks, parallel=parallel)
        return {result.name: result for result in results}

    def close(self) -> None:
        self.pool.tidy()
        for stage in self.stages:
            stage.remove()


@pytest.fixture
def bench(pool: WarmPool) -> Iterator[Bench]:
    """A bench of the test's own on the module's workers."""
    opened = Bench(pool)
    yield opened
    opened.close()


class Together:
    """Counts how many of the functions that it wraps are running at once."""

    def __init__(self) -> None:
        self.most = 0
        self.now: set[str] = set()
        self.seen: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def wrap(self, name: str, body: Callable[[], None] = lambda: None) -> CheckFunction:
        def function(submission: Any) -> None:
            """Notes who else is running."""
            with self._lock:
                self.now.add(name)
                self.most = max(self.most, len(self.now))
                for one in self.now:
                    self.seen.setdefault(one, set()).update(self.now)
            try:
                body()
            finally:
                with self._lock:
                    self.now.discard(name)

        function.__name__ = name
        return function


MakePack = Callable[..., ProblemLocation]


@pytest.fixture
def make_pack(tmp_path: Path) -> MakePack:
    """``make_pack(suite=...)``: a pack with one problem, toy/square, whose parts are given as text."""

    def make(
        *, name: str = "toys", suite: str | None = None, files: Mapping[str, str] | None = None
    ) -> ProblemLocation:
        root = tmp_path / name
        text = (TINY_PACK / "problems/tiny/square/problem.yaml").read_text().replace("tiny/square", "toy/square")
        parts = {
            "problems/toy/square/problem.yaml": text,
            "problems/toy/square/README.md": "# A toy\n",
            "problems/toy/square/starter/square.py": "def square(number):\n    raise NotImplementedError\n",
            "graders/toy/square/solutions/times.py": RIGHT,
            **({} if suite is None else {"graders/toy/square/suite.py": suite}),
            **(files or {}),
        }
        for path, content in parts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
        return Pack(name, root).location("toy/square")

    return make
