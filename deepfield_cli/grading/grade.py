"""One grade from beginning to end: read the files, stage them, run the suite, return the result."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import secrets
import shutil
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli import __version__
from deepfield_cli.content.packs import ProblemLocation, packs
from deepfield_cli.content.problem import Problem, Rung
from deepfield_cli.errors import DeepfieldError, near_miss
from deepfield_cli.grading.loading import load_suite, probe_source
from deepfield_cli.grading.result import CheckResult, GradeResult, PackReference
from deepfield_cli.grading.running import Failure, Run
from deepfield_cli.grading.source_rules import advise
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission
from deepfield_cli.sandbox.submission import Blueprint, Submission
from deepfield_cli.sandbox.wire import encode

if TYPE_CHECKING:
    from deepfield_cli.sandbox.process import WorkerProcess

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
        stop_at_first_failure: enough to know that it fails (mutation runs).
        parallel: checks at a time.

    """

    location: ProblemLocation
    source: Path
    rung: Rung = "core"
    seed: int | None = None
    only: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    stop_at_first_failure: bool = False
    parallel: int = 2


@dataclass(frozen=True)
class Grade:
    """A result, with what the program needs beside it: the files that were graded, and what failed how."""

    result: GradeResult
    files: SubmissionFiles
    failures: tuple[Failure, ...]


def grade(
    request: GradeRequest,
    pool: WarmPool,
    *,
    on_start: Callable[[Check], None] = lambda check: None,
    on_finish: Callable[[CheckResult], None] = lambda result: None,
    cancelled: threading.Event | None = None,
    on_plan: Callable[[Sequence[Check]], None] = lambda checks: None,
) -> Grade:
    """Grade one submission.

    Raises:
        DeepfieldError: there is nothing to grade, or the rung cannot run here (what is missing, how to get it).
        Cancelled: the run was given up.

    """
    problem = request.location.load()
    pool.start(problem.preload)  # imports begin while this process reads the suite
    files = read_submission(request.source, problem.entry)
    suite = load_suite(request.location)
    checks = _selected(suite.of_rung(request.rung), request, problem)
    _require_data(problem, request)
    on_plan(checks)
    started, clock = datetime.now(UTC), time.monotonic()
    seed = secrets.randbits(_SEED_BITS) if request.seed is None else request.seed
    with _laid_out(request, problem, files) as opener:
        run = Run(
            problem=problem,
            seed=seed,
            open_submission=opener.learner(pool),
            open_shipped=opener.shipped(pool),
            data=request.data,
            deadline_seconds=problem.rungs[request.rung].seconds,
            on_start=on_start,
            on_finish=on_finish,
            cancelled=cancelled or threading.Event(),
            stop_at_first_failure=request.stop_at_first_failure,
        )
        results = run.run(checks, parallel=request.parallel)
    result = _summary(request, problem, files, results, seed=seed, isolation=run.isolation, started=started)
    elapsed = round(time.monotonic() - clock, 4)
    return Grade(result.model_copy(update={"seconds": elapsed}), files, tuple(run.failures))


def arming_frame(location: ProblemLocation, rung: Rung = "core") -> bytes:
    """The request that arms a spare worker for a problem before a submission is there."""
    problem = location.load()
    return encode(_blueprint(problem, location, Path(), Path(), rung, ()).arming())


class _Opener:
    """Gives submissions on the staged files; one private folder for the whole run."""

    def __init__(self, request: GradeRequest, problem: Problem, files: SubmissionFiles, root: Path) -> None:
        self.request = request
        self.problem = problem
        self.root = root
        self.blueprint = self._staged(files, "submission")

    def learner(self, pool: WarmPool) -> Callable[[float], Submission]:
        return self._factory(pool, lambda: self.blueprint)

    def shipped(self, pool: WarmPool) -> Callable[[float], Submission]:
        def blueprint() -> Blueprint:
            solution = self.request.location.solutions()[0]
            return self._staged(read_submission(solution, self.problem.entry), "shipped")

        return self._factory(pool, blueprint)

    def _factory(self, pool: WarmPool, blueprint: Callable[[], Blueprint]) -> Callable[[float], Submission]:
        arming = encode(self.blueprint.arming())

        def acquire() -> WorkerProcess:
            return pool.acquire(self.problem.preload, arming)

        return lambda seconds: Submission(acquire, _within(blueprint(), seconds), call_seconds=seconds)

    def _staged(self, files: SubmissionFiles, name: str) -> Blueprint:
        folder, scratch = self.root / name, self.root / "scratch"
        if not folder.exists():
            folder.mkdir()
            scratch.mkdir(exist_ok=True)
            files.write_to(folder)
        request = self.request
        return _blueprint(self.problem, request.location, folder, scratch, request.rung, request.hidden)


def _within(blueprint: Blueprint, seconds: float) -> Blueprint:
    from dataclasses import replace

    return replace(blueprint, limits=blueprint.limits.with_seconds(seconds))


@contextlib.contextmanager
def _laid_out(request: GradeRequest, problem: Problem, files: SubmissionFiles) -> Iterator[_Opener]:
    root = Path(tempfile.mkdtemp(prefix="deepfield-"))
    try:
        yield _Opener(request, problem, files, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _blueprint(
    problem: Problem, location: ProblemLocation, folder: Path, scratch: Path, rung: Rung, hidden: Sequence[Path]
) -> Blueprint:
    spec = problem.rungs[rung]
    modules = {rule.module: rule.reason for rule in problem.forbidden if rule.module}
    return Blueprint(
        folder=folder,
        entry=problem.entry,
        scratch=scratch,
        limits=Limits(
            memory_mb=spec.memory_mb, threads=spec.threads, network=problem.network == "loopback", gpu=spec.gpu
        ),
        rules=[rule.model_dump(include={"call", "operators", "reason"}) for rule in problem.forbidden if rule.call],
        modules=modules,
        hidden=[*(str(path) for path in hidden), *_graders_folders(), *_package_folders(list(modules))],
        probe=probe_source(location),
    )


def _graders_folders() -> list[str]:
    bundled = Path(__file__).resolve().parent.parent / "_pack"
    return [str(bundled), *(str(pack.root / "graders") for pack in packs())]


def _package_folders(names: Sequence[str]) -> list[str]:
    """Where forbidden packages would lie, so that they are unreadable as well as unimportable."""
    roots = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return [os.path.join(root, name) for root in roots for name in names]


def _selected(checks: list[Check], request: GradeRequest, problem: Problem) -> list[Check]:
    if request.rung not in problem.rungs:
        has = ", ".join(problem.rungs)
        raise DeepfieldError(f'{problem.id} has no rung "{request.rung}"', fix=f"it has {has}")
    if not checks:
        raise DeepfieldError(f"the suite of {problem.id} has no checks at rung {request.rung}")
    names = [check.name for check in checks]
    for wanted in request.only:
        if wanted not in names:
            raise DeepfieldError(
                f'there is no check "{wanted}"', fix=near_miss(wanted, names) or f"there are {', '.join(names)}"
            )
    return [check for check in checks if not request.only or check.name in request.only]


def _require_data(problem: Problem, request: GradeRequest) -> None:
    declared = {item.name: item for item in problem.rungs[request.rung].data}
    for name in request.data:
        if name not in declared:
            hint = near_miss(name, declared) or f"this rung takes {', '.join(declared) or 'none'}"
            raise DeepfieldError(f'--data: unknown name "{name}"', fix=hint)
    for name, item in declared.items():
        path = request.data.get(name)
        if path is None:
            raise DeepfieldError(
                f"rung {request.rung} of {problem.id} needs {item.description}",
                fix=f"{item.how}; then --data {name}=PATH",
            )
        if not path.is_file():
            raise DeepfieldError("no such file", where=f"--data {name}={path}", fix=item.how)
        if path.stat().st_size < item.minimum_mb * 1e6:
            raise DeepfieldError(f"smaller than {item.minimum_mb:g} MB", where=str(path), fix=item.how)


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
        environment=_environment(),
        checks=tuple(results),
        notes=tuple(advise(files.files, problem)) if not passed else (),
    )


def _environment() -> dict[str, str]:
    versions = {"deepfield": __version__, "python": platform.python_version(), "system": platform.system()}
    for name in _VERSIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {**versions, "machine": platform.machine(), "cores": str(os.cpu_count())}
