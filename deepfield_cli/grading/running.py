"""Running the checks of a rung: each in a fresh worker, two at a time, every failure turned into a result."""

from __future__ import annotations

import hashlib
import math
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.content.problem import Problem
from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.grading.diagnoses import look_up
from deepfield_cli.grading.long_run import LongRun, Progress
from deepfield_cli.grading.result import Cause, CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.submission import Recorder, Submission
from deepfield_cli.sandbox.working_time import working_time

# The most lines of expected or actual values that a learner is shown.
_MAXIMUM_LINES = 12
_MAXIMUM_CHARACTERS, _LINE_CHARACTERS = 8000, 400
_PARALLEL = 2
_LOOK_SECONDS = 0.05


class Cancelled(Exception):
    """The run was given up: a newer save has overtaken it, or the user interrupted."""


@dataclass(frozen=True)
class Failure:
    """What a repro file is made of."""

    check: Check
    error: CheckFailed
    recorder: Recorder


@dataclass
class Run:
    """One run of some checks.

    Attributes:
        problem: whose words explain the diagnoses.
        seed: from which each check derives its own generator, so that order and selection do not change it.
        open_submission: gives a fresh submission for a check's time limit.
        open_shipped: the same for the shipped solution.
        keep: the folder for the checks that ask for ``run``, one below it for each.
        data: files that the user pointed at, by name.
        deadline_seconds: budget of the whole run.
        on_start: called with each check as it begins.
        on_finish: called with each result as it is there.
        on_progress: called with each step that a long check tells of.
        cancelled: set to give the run up.

    """

    problem: Problem
    seed: int
    open_submission: Callable[[float, Path | None], Submission]
    open_shipped: Callable[[float], Submission]
    keep: Path | None = None
    data: Mapping[str, Path] = field(default_factory=dict)
    deadline_seconds: float = 60.0
    on_start: Callable[[Check], None] = lambda check: None
    on_finish: Callable[[CheckResult], None] = lambda result: None
    on_progress: Callable[[Progress], None] = lambda progress: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    stop_at_first_failure: bool = False
    failures: list[Failure] = field(default_factory=list)
    isolation: str = "none"
    _open: list[Submission] = field(default_factory=list)

    def run(self, checks: Sequence[Check], *, parallel: int = _PARALLEL) -> list[CheckResult]:
        """Run the checks and return their results in the given order; raise Cancelled if given up."""
        end = working_time.now() + self.deadline_seconds
        results: dict[str, CheckResult] = {}
        waiting = list(checks)
        running: dict[Future[CheckResult], Check] = {}
        with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="check") as executor:
            try:
                while waiting or running:
                    for check in self._startable(waiting, running, parallel):
                        waiting.remove(check)
                        running[executor.submit(self._one, check, results, end)] = check
                    self._collect(running, results)
                    if self.stop_at_first_failure and any(result.outcome == "failed" for result in results.values()):
                        waiting.clear()
            except BaseException:  # given up, or Ctrl-C: the threads wait for workers, so the workers must go
                self._end(running)
                raise
        return [results[check.name] for check in checks if check.name in results]

    def give_up(self) -> None:
        """End every worker of this run, from whichever thread."""
        self.cancelled.set()
        for submission in list(self._open):
            submission.kill()

    def _end(self, running: Mapping[Future[CheckResult], Check]) -> None:
        """Give up until no check runs any more: one may just be starting a worker that nobody could end yet."""
        self.give_up()
        while wait(running, timeout=_LOOK_SECONDS).not_done:
            self.give_up()

    def _collect(self, running: dict[Future[CheckResult], Check], results: dict[str, CheckResult]) -> None:
        """Wait for the next result, and look now and then whether the run was given up."""
        began = time.monotonic()
        done, _ = wait(running, return_when=FIRST_COMPLETED, timeout=_LOOK_SECONDS)
        working_time.woke(began, _LOOK_SECONDS)
        if self.cancelled.is_set():
            raise Cancelled
        for future in done:
            check = running.pop(future)
            results[check.name] = future.result()
            self.on_finish(results[check.name])

    def _startable(
        self, waiting: Sequence[Check], running: Mapping[Future[CheckResult], Check], parallel: int
    ) -> Sequence[Check]:
        """Checks whose needs are decided, as many as there is room for; an exclusive one alone, after those others."""
        if any(check.exclusive for check in running.values()):
            return []
        undecided = {check.name for check in (*waiting, *running.values())}
        ready = [check for check in waiting if undecided.isdisjoint(check.needs)]
        together = [check for check in ready if not check.exclusive]
        return together[: parallel - len(running)] if together or running else ready[:1]

    def _one(self, check: Check, results: Mapping[str, CheckResult], end: float) -> CheckResult:
        blocked = [need for need in check.needs if need in results and results[need].outcome != "passed"]
        if blocked:
            words = f"{blocked[0]} has to pass first"
            return _result(check, "skipped", 0.0, Cause(rationale=words))
        remaining = end - working_time.now()
        if remaining <= 0:
            words = f"the rung's budget of {self.deadline_seconds:g} s was used up before this check"
            return _result(check, "failed", 0.0, Cause(rationale=words, diagnosis="timeout"))
        self.on_start(check)
        return self._execute(check, min(check.timeout_seconds, remaining))

    def _execute(self, check: Check, seconds: float) -> CheckResult:
        started = working_time.now()
        run = self._long_run(check)
        submission = self.open_submission(seconds, run.place if run else None)
        opened = [submission]
        self._open.append(submission)
        try:
            outcome, cause, metrics = self._judge(check, submission, seconds, opened, run)
        finally:
            for one in opened:
                self._open.remove(one)
                one.close()
        self.isolation = submission.isolation or self.isolation
        elapsed = round(working_time.now() - started, 4)
        return _result(check, outcome, elapsed, cause, metrics, submission.output())

    def _judge(
        self, check: Check, submission: Submission, seconds: float, opened: list[Submission], run: LongRun | None
    ) -> tuple[Any, Cause | None, dict[str, float]]:
        try:
            arguments = self._arguments(check, submission, seconds, opened) | {"run": run}
            if "run" in check.parameters and run is None:
                raise SandboxError(f"{check.name} asks for a folder that outlives it, and this run keeps none")
            if self.cancelled.is_set():
                raise CheckFailed("the run was given up")
            submission.start()
            metrics = check.function(**{name: arguments[name] for name in check.parameters})
            return "passed", None, _numbers({**(run.metrics() if run else {}), **(metrics or {})})
        except CheckFailed as failure:
            self.failures.append(Failure(check, _without_frames(failure), submission.recorder))
            return "failed", learner_cause(failure, self.problem), run.metrics() if run else {}
        except SandboxError as error:
            return "errored", _fault_cause(str(error)), {}
        except Exception:  # noqa: BLE001 - the one boundary: whatever else escapes a check is the grader's own fault
            return "errored", _fault_cause(traceback.format_exc(limit=-8)), {}

    def _long_run(self, check: Check) -> LongRun | None:
        """The folder of a check that asks for one: there already if an earlier run was interrupted."""
        if "run" not in check.parameters or self.keep is None:
            return None
        place = self.keep / check.name
        resumed = place.is_dir()
        place.mkdir(parents=True, exist_ok=True)
        return LongRun(check.name, place.resolve(), resumed=resumed, on_progress=self.on_progress)

    def _arguments(
        self, check: Check, submission: Submission, seconds: float, opened: list[Submission]
    ) -> dict[str, Any]:
        """What a check may ask for, by parameter name."""
        arguments: dict[str, Any] = {
            "submission": submission,
            "rng": generator(self.seed, check.name),
            "data": self.data,
        }
        if "shipped" in check.parameters:
            arguments["shipped"] = self.open_shipped(seconds)
            opened.append(arguments["shipped"])
            self._open.append(arguments["shipped"])
        return arguments


def generator(seed: int, name: str) -> np.random.Generator:
    """The generator of one check: depends on the run seed and its name alone."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def learner_cause(failure: CheckFailed, problem: Problem) -> Cause:
    """A failure in the words of the problem: the mistake's own explanation and help, where it is known."""
    known = look_up(failure.diagnosis, problem) if failure.diagnosis else None
    own = failure.diagnosis is not None and any(part in problem.misconceptions for part in failure.diagnosis.split("+"))
    return Cause(
        rationale=known.explanation if known is not None and own else _told(failure.rationale) or "",
        help=known.help if known is not None and own else failure.help or (known.help if known else None),
        diagnosis=failure.diagnosis,
        expected=_told(failure.expected),
        actual=_told(failure.actual),
    )


def _without_frames(failure: CheckFailed) -> CheckFailed:
    """A failure, less the frames it came through, which hold every value of the check, and this very run."""
    error: BaseException | None = failure
    while error is not None:
        following = error.__cause__ or error.__context__
        error.__traceback__ = error.__cause__ = error.__context__ = None
        error = following
    return failure


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What a check measured; JSON has no word for what is not finite."""
    numbers = {str(name): float(value) for name, value in metrics.items()}
    strange = [name for name, value in numbers.items() if not math.isfinite(value)]
    if strange:
        raise ValueError(f"the metric {strange[0]} is {numbers[strange[0]]}")
    return numbers


def _fault_cause(author: str) -> Cause:
    words = "deepfield's own check broke: this is not your failure, and no attempt is counted"
    return Cause(rationale=words, help="Please report it with the text under `author` of --json.", author=author)


def _result(
    check: Check,
    outcome: Any,
    seconds: float,
    cause: Cause | None,
    metrics: Mapping[str, float] | None = None,
    output: str = "",
) -> CheckResult:
    return CheckResult(
        name=check.name,
        description=check.description,
        outcome=outcome,
        points=check.points,
        seconds=seconds,
        metrics=dict(metrics or {}),
        cause=cause,
        output=output,
    )


def _told(text: str | None) -> str | None:
    """Text that may hold the learner's own: a few lines of bounded length, without what UTF-8 cannot say."""
    if text is None:
        return None
    lines = text[:_MAXIMUM_CHARACTERS].encode("utf-8", "backslashreplace").decode("utf-8").splitlines()
    kept = [
        line if len(line) <= _LINE_CHARACTERS else line[:_LINE_CHARACTERS] + " …" for line in lines[:_MAXIMUM_LINES]
    ]
    return "\n".join(kept) + ("\n…" if len(lines) > _MAXIMUM_LINES else "")
