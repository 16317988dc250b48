"""One grade from beginning to end: read the files, stage them, run the suite, return the result."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deepfield_cli import __version__
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Problem, Rung
from deepfield_cli.errors import DeepfieldError, near_miss
from deepfield_cli.grading.data_files import found_data
from deepfield_cli.grading.loading import load_suite
from deepfield_cli.grading.long_run import Progress
from deepfield_cli.grading.result import CheckResult, GradeResult, PackReference
from deepfield_cli.grading.running import Failure, Run
from deepfield_cli.grading.source_rules import advise
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.devices import cuda_devices
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission
from deepfield_cli.sandbox.working_time import working_time

# A run seed has 63 bits: enough that no learner tries them all, and it fits every integer type.
_SEED_BITS = 63
_VERSIONS = ("torch", "numpy", "triton", "tokenizers")


@dataclass(frozen=True)
class GradeRequest:
    """What is to be graded, and how.

    Attributes:
        location: the problem.
        source: the learner's folder, or one file that stands for the entry.
        rung: which rung.
        seed: replays a run; None draws a fresh one.
        only: names of checks; empty for all.
        data: files that the rung needs, by name.
        hidden: more folders that no worker may read (the workspace's record).
        parallel: checks at a time.
        files: what was read from the source already, so that no later save slips in; None reads it now.
        keep: the folder in which long checks leave what a resumed run goes on with; None keeps nothing.
        spent_seconds: what earlier sittings of a resumed run took of the rung's budget.

    """

    location: ProblemLocation
    source: Path
    rung: Rung = "core"
    seed: int | None = None
    only: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    parallel: int = 2
    files: SubmissionFiles | None = None
    keep: Path | None = None
    spent_seconds: float = 0.0


@dataclass(frozen=True)
class Grade:
    """A result, with what the program needs beside it: the files that were graded, and what failed how."""

    result: GradeResult
    files: SubmissionFiles
    failures: tuple[Failure, ...]
    entry: str


def grade(
    request: GradeRequest,
    pool: WarmPool,
    *,
    on_start: Callable[[Check], None] = lambda check: None,
    on_finish: Callable[[CheckResult], None] = lambda result: None,
    cancelled: threading.Event | None = None,
    on_plan: Callable[[Sequence[Check]], None] = lambda checks: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stage: Stage | None = None,
) -> Grade:
    """Grade one submission.

    Raises:
        DeepfieldError: there is nothing to grade, or the rung cannot run here (what is missing, how to get it).
        Cancelled: the run was given up.

    """
    problem = request.location.load()
    pool.tidy()  # what an earlier grade on this pool left behind: its verdict did not wait for that
    files = request.files or read_submission(request.source, problem.entry)
    _require_rung(problem, request.rung)
    data = found_data(problem, request.rung, request.data)
    with _held_stage(stage, request, data) as held:
        pool.start(held.blueprint)  # imports begin while this process reads the suite
        checks = _selected(load_suite(request.location).of_rung(request.rung), request, problem)
        on_plan(checks)
        pool.start(held.blueprint).wait_ready()
        started, clock = datetime.now(UTC), working_time.now()
        held.lay_out(files)
        run = _prepared(request, problem, held, pool, data)
        run.on_start, run.on_finish, run.on_progress = on_start, on_finish, on_progress
        run.cancelled = cancelled or run.cancelled
        results = run.run(checks, parallel=request.parallel)
    result = _summary(request, problem, files, results, seed=run.seed, isolation=run.isolation, started=started)
    elapsed = round(working_time.now() - clock, 4)
    return Grade(result.model_copy(update={"seconds": elapsed}), files, tuple(run.failures), problem.entry)


def draw_seed() -> int:
    """A seed that nobody can have known before."""
    return secrets.randbits(_SEED_BITS)


@contextlib.contextmanager
def _held_stage(stage: Stage | None, request: GradeRequest, data: Mapping[str, Path]) -> Iterator[Stage]:
    """The stage that was handed over, which stays with its owner, or one for this grade alone."""
    if stage is not None:
        yield stage
        return
    own = Stage(request.location, request.rung, request.hidden, list(data.values()))
    try:
        yield own
    finally:
        own.remove()


def _prepared(request: GradeRequest, problem: Problem, stage: Stage, pool: WarmPool, data: Mapping[str, Path]) -> Run:
    """The run that was asked for; nobody listens to it yet."""
    return Run(
        problem=problem,
        seed=draw_seed() if request.seed is None else request.seed,
        open_submission=partial(stage.submission, pool),
        open_shipped=partial(stage.shipped, pool),
        data=data,
        keep=request.keep or stage.root / "runs",
        deadline_seconds=problem.rungs[request.rung].seconds - request.spent_seconds,
    )


def _require_rung(problem: Problem, rung: Rung) -> None:
    if rung not in problem.rungs:
        raise DeepfieldError(f'{problem.id} has no rung "{rung}"', fix=f"it has {', '.join(problem.rungs)}")
    if problem.rungs[rung].gpu and cuda_devices() == 0:
        raise DeepfieldError(
            f"rung {rung} of {problem.id} needs a CUDA device, and there is none here",
            fix="run it on a machine with an NVIDIA GPU and its driver; deepfield doctor shows what is there",
        )


def _selected(checks: list[Check], request: GradeRequest, problem: Problem) -> list[Check]:
    if not checks:
        raise DeepfieldError(f"the suite of {problem.id} has no checks at rung {request.rung}")
    names = [check.name for check in checks]
    for wanted in request.only:
        if wanted not in names:
            raise DeepfieldError(
                f'there is no check "{wanted}"', fix=near_miss(wanted, names) or f"there are {', '.join(names)}"
            )
    return [check for check in checks if not request.only or check.name in request.only]


def _summary(
    request: GradeRequest,
    problem: Problem,
    files: SubmissionFiles,
    results: Sequence[CheckResult],
    *,
    seed: int,
    isolation: str,
    started: datetime,
) -> GradeResult:
    earned = sum(result.points for result in results if result.outcome == "passed")
    possible = sum(result.points for result in results)
    errored = any(result.outcome == "errored" for result in results)
    passed = bool(results) and all(result.outcome == "passed" for result in results)
    return GradeResult(
        problem=problem.id,
        problem_version=problem.version,
        title=problem.title,
        rung=request.rung,
        score=None if errored or not possible else round(earned / possible, 6),
        solved=passed and not request.only,
        partial=bool(request.only),
        points=earned,
        points_possible=possible,
        seed=seed,
        isolation=isolation,
        pack=PackReference(name=request.location.pack.name, version=__version__),
        suite_digest=request.location.suite_digest(),
        submission_digest=files.digest,
        submission_files=tuple(files.files),
        started_at=started.isoformat(timespec="milliseconds"),
        seconds=0.0,
        environment=dict(_environment()),
        checks=tuple(results),
        notes=tuple(advise(files.files, problem)) if not passed else (),
    )


@functools.cache
def _environment() -> dict[str, str]:
    versions = {"deepfield": __version__, "python": platform.python_version(), "system": platform.system()}
    for name in _VERSIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {**versions, "machine": platform.machine(), "cores": str(os.cpu_count())}
