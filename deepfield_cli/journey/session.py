"""A sitting at one problem: a warm pool, the learner's folder, and a grade each time it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from deepfield_cli import early
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.data_files import found_data
from deepfield_cli.grading.grade import Grade, GradeRequest, grade
from deepfield_cli.grading.leftovers import remove_leftovers
from deepfield_cli.grading.long_run import Progress
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.pool import WarmPool, Zygote
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission

if TYPE_CHECKING:
    from deepfield_cli.journey.sitting import Sitting

_Told = TypeVar("_Told")
# Where no grade takes longer than anyone would wait: nothing is kept of it, and it has nothing to go on with.
SHORT_RUNG: Rung = "core"


@dataclass(frozen=True)
class Listener:
    """Who wants to know how a grade goes; all but the plan may be told in another thread."""

    on_plan: Callable[[Sequence[Check]], None] = lambda checks: None
    on_start: Callable[[Check], None] = lambda check: None
    on_finish: Callable[[CheckResult], None] = lambda result: None
    on_progress: Callable[[Progress], None] = lambda progress: None

    def also(self, other: Listener) -> Listener:
        """Both of them, this one first."""
        return Listener(
            on_plan=_both(self.on_plan, other.on_plan),
            on_start=_both(self.on_start, other.on_start),
            on_finish=_both(self.on_finish, other.on_finish),
            on_progress=_both(self.on_progress, other.on_progress),
        )


def _both(first: Callable[[_Told], None], second: Callable[[_Told], None]) -> Callable[[_Told], None]:
    def tell(told: _Told) -> None:
        first(told)
        second(told)

    return tell


@dataclass(frozen=True)
class Wish:
    """What the learner asked for on the command line."""

    rung: Rung = "core"
    seed: int | None = None
    only: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    resume: bool = False
    fresh: bool = False


class Session:
    """Grades one problem of one workspace, again and again if need be."""

    def __init__(self, workspace: Workspace, location: ProblemLocation, wish: Wish) -> None:
        self.workspace = workspace
        self.location = location
        self.wish = wish
        self.folder = workspace.folder(location.id)
        self._pool = WarmPool()
        for recipe in early.take():
            self._pool.adopt(Zygote(*recipe))
        self._stage: Stage | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.close()
        if self._stage is not None:
            self._stage.remove()
        remove_leftovers()

    def require_submission(self) -> None:
        """Raise WorkspaceError if there is no entry file to grade."""
        entry = self.location.load().entry
        if not (self.folder / entry).is_file():
            raise WorkspaceError(
                f"there is no {entry} here",
                where=self.workspace.shown(self.folder),
                fix=f"deepfield start {self.location.id} lays it out",
            )

    def sit_down(self) -> Sitting | None:
        """What a long grade needs so that it can be interrupted; None at a rung that takes no time to speak of.

        Raises:
            WorkspaceError: there is nothing to grade, or to resume, or not so.

        """
        if self.wish.rung == SHORT_RUNG or self.wish.rung not in self.location.load().rungs:
            if self.wish.resume:
                from deepfield_cli.journey.sitting_down import nothing_to_resume

                raise nothing_to_resume(self.workspace, self.location.id, self.wish.rung)
            return None
        from deepfield_cli.journey.sitting_down import sit_down

        self.require_submission()
        files = read_submission(self.folder, self.location.load().entry)
        return sit_down(self.workspace, self.location, self.wish, files)

    def grade(
        self,
        listener: Listener | None = None,
        cancelled: threading.Event | None = None,
        files: SubmissionFiles | None = None,
        sitting: Sitting | None = None,
    ) -> Grade:
        """Grade the folder as it is now, or as it was read; raises Cancelled if the event is set meanwhile."""
        if files is None and sitting is None:
            self.require_submission()
        listener = listener or Listener()
        listener = listener.also(sitting.listener()) if sitting is not None else listener
        stage, self._stage = self._stage, None
        request = self._request(files)
        try:
            outcome = grade(
                request if sitting is None else sitting.request(request),
                self._pool,
                on_plan=listener.on_plan,
                on_start=listener.on_start,
                on_finish=listener.on_finish,
                on_progress=listener.on_progress,
                cancelled=cancelled,
                stage=stage,
            )
        finally:
            if stage is not None:
                stage.remove()
        return outcome if sitting is None else sitting.signed(outcome)

    def warm_up(self, spares: int) -> None:
        """Prepare the next grade: a stage, and workers confined to it. Ends what the last one left."""
        self._pool.tidy()
        if self._stage is None:
            data = found_data(self.location.load(), self.wish.rung, self.wish.data)
            self._stage = Stage(self.location, self.wish.rung, (self.workspace.private,), list(data.values()))
        self._stage.warm(self._pool, spares)

    def _request(self, files: SubmissionFiles | None) -> GradeRequest:
        return GradeRequest(
            self.location,
            self.folder,
            rung=self.wish.rung,
            seed=self.wish.seed,
            only=self.wish.only,
            data=self.wish.data,
            hidden=(self.workspace.private,),
            files=files,
        )
