"""The bench on which one problem's submissions are tried, several at a time, in real workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from deepfield_cli.authoring.gate import Gate, Turn
from deepfield_cli.authoring.terms import Terms
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Problem, Rung
from deepfield_cli.grading.grade import GradeRequest, draw_seed, grade
from deepfield_cli.grading.result import CheckResult, GradeResult
from deepfield_cli.grading.running import Run
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission, submission_files

Task = TypeVar("Task")
Answer = TypeVar("Answer")
# The author's judge and the mutation run look at the rung that needs no data, no GPU and no patience.
RUNG: Rung = "core"


@dataclass(frozen=True)
class Bench:
    """One problem, its warm pool and its gate.

    Attributes:
        location: the problem.
        problem: its declaration.
        checks: the suite's checks of the core rung, in order.
        terms: how much is to be done.

    """

    location: ProblemLocation
    problem: Problem
    checks: Sequence[Check]
    terms: Terms = field(default_factory=Terms)
    _pool: WarmPool = field(default_factory=WarmPool)
    _gate: Gate = field(default_factory=Gate)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.close()

    def grade(self, source: Path, *, over: Path | None = None, only: Sequence[str] = (), draw: int = 0) -> GradeResult:
        """Grade a submission as a learner's would be.

        Args:
            source: its file or folder.
            over: the solution over whose files it is laid.
            only: names of checks; empty for all.
            draw: how often it was graded before.

        """
        request = GradeRequest(
            self.location,
            source,
            files=_laid_over(source, over, self.problem.entry) if over else None,
            rung=RUNG,
            only=tuple(only),
            seed=self._seed(draw),
            parallel=1 if self.terms.jobs > 1 else 2,
        )
        with Turn(self._gate) as turn:
            found = grade(
                request, self._pool, on_start=turn.on_start, on_finish=turn.on_finish, cancelled=self._cancelled
            )
        self._pool.tidy()
        return found.result

    def run(
        self, files: Mapping[str, bytes], checks: Sequence[Check], *, stop_at_first_failure: bool = False
    ) -> list[CheckResult]:
        """Run some checks on files that exist in memory only."""
        stage = Stage(self.location, RUNG)
        try:
            stage.lay_out(submission_files(files))
            self._pool.start(stage.blueprint)
            with Turn(self._gate) as turn:
                return self._run_of(stage, turn, checks, stop_at_first_failure).run(checks, parallel=1)
        finally:
            stage.remove()
            self._pool.tidy()

    def each(self, work: Callable[[Task], Answer], tasks: Sequence[Task]) -> Iterator[tuple[Task, Answer]]:
        """Do the tasks, ``terms.jobs`` at a time, and give each with its answer as soon as it is there."""
        with ThreadPoolExecutor(max_workers=self.terms.jobs, thread_name_prefix="bench") as executor:
            waiting: dict[Future[Answer], Task] = {executor.submit(work, task): task for task in tasks}
            try:
                while waiting:
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield waiting.pop(future), future.result()
            except BaseException:  # Ctrl-C, or a fault of the bench itself: nothing more is to be started
                self._cancelled.set()
                executor.shutdown(wait=True, cancel_futures=True)
                raise

    def _seed(self, draw: int = 0) -> int:
        return draw_seed() if self.terms.seed is None else self.terms.seed + draw

    def _run_of(self, stage: Stage, turn: Turn, checks: Sequence[Check], stop_at_first_failure: bool) -> Run:
        return Run(
            problem=self.problem,
            seed=self._seed(),
            open_submission=partial(stage.submission, self._pool),
            open_shipped=partial(stage.shipped, self._pool),
            # no rung's budget here: one check that takes its time must not hide what the next one would do
            deadline_seconds=sum(check.timeout_seconds for check in checks),
            on_start=turn.on_start,
            on_finish=turn.on_finish,
            cancelled=self._cancelled,
            stop_at_first_failure=stop_at_first_failure,
        )


def _laid_over(source: Path, base: Path, entry: str) -> SubmissionFiles:
    return submission_files({**read_submission(base, entry).files, **read_submission(source, entry).files})


def without_needs(checks: Sequence[Check]) -> list[Check]:
    """The same checks, each run whatever became of the others."""
    return [replace(check, needs=()) for check in checks]
