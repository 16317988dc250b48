"""A row of checks that need no suite of a pack: each passes, fails with its words, or is skipped for one it needs."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deepfield_cli import __version__
from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.result import Cause, CheckResult, GradeResult, PackReference

Metrics = Mapping[str, float] | None
VERSION = 1


@dataclass(frozen=True)
class Station:
    """One check.

    Attributes:
        name: its id.
        description: what it promises, for the learner.
        check: does it; raises CheckFailed, or returns what it measured.
        needs: names of checks without which it means nothing.
        points: its weight.

    """

    name: str
    description: str
    check: Callable[[], Metrics]
    needs: Sequence[str] = ()
    points: int = 1


def walk(stations: Sequence[Station], on_start: Callable[[str], None] = lambda name: None) -> tuple[CheckResult, ...]:
    """Do the checks in order. What is no CheckFailed is not the learner's, and goes to whoever called."""
    results: dict[str, CheckResult] = {}
    for station in stations:
        missing = next((name for name in station.needs if results[name].outcome != "passed"), None)
        on_start(station.name)
        results[station.name] = _skipped(station, missing) if missing else _done(station)
    return tuple(results.values())


@dataclass(frozen=True)
class Graded:
    """What was graded, beside the checks.

    Attributes:
        problem: problem id.
        title: its title.
        rung: core, laptop or paper.
        seed: run seed.
        isolation: what held the learner's code in.
        files: names of what was graded.
        digest: SHA-256 over it.
        started: when.
        seconds: wall-clock seconds.
        environment: further facts, such as an interpreter.

    """

    problem: str
    title: str
    rung: Rung
    seed: int
    isolation: str
    files: Sequence[str]
    digest: str
    started: datetime
    seconds: float
    environment: Mapping[str, str]


def as_result(graded: Graded, checks: Sequence[CheckResult], notes: Sequence[str] = ()) -> GradeResult:
    """The result document, as a suite would give it."""
    earned = sum(check.points for check in checks if check.outcome == "passed")
    possible = sum(check.points for check in checks)
    return GradeResult(
        problem=graded.problem,
        problem_version=VERSION,
        title=graded.title,
        rung=graded.rung,
        score=round(earned / possible, 6),
        solved=all(check.outcome == "passed" for check in checks),
        points=earned,
        points_possible=possible,
        seed=graded.seed,
        isolation=graded.isolation,
        pack=PackReference(name="deepfield", version=__version__),
        suite_digest=_own_digest(),
        submission_digest=graded.digest,
        submission_files=tuple(graded.files),
        started_at=graded.started.isoformat(timespec="milliseconds"),
        seconds=round(graded.seconds, 4),
        environment={**_environment(), **graded.environment},
        checks=tuple(checks),
        notes=tuple(notes),
    )


def _done(station: Station) -> CheckResult:
    clock = time.monotonic()
    metrics: Metrics = None
    cause = None
    try:
        metrics = station.check()
    except CheckFailed as failure:
        cause = Cause(
            rationale=failure.rationale,
            help=failure.help,
            diagnosis=failure.diagnosis,
            expected=failure.expected,
            actual=failure.actual,
        )
    return CheckResult(
        name=station.name,
        description=station.description,
        outcome="failed" if cause else "passed",
        points=station.points,
        seconds=round(time.monotonic() - clock, 4),
        metrics=dict(metrics or {}),
        cause=cause,
    )


def _skipped(station: Station, missing: str) -> CheckResult:
    return CheckResult(
        name=station.name,
        description=station.description,
        outcome="skipped",
        points=station.points,
        seconds=0.0,
        cause=Cause(rationale=f"It needs {missing}, which did not pass."),
    )


def _own_digest() -> str:
    """SHA-256 over this room: what graded is known by its own text."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _environment() -> dict[str, str]:
    return {
        "deepfield": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }
