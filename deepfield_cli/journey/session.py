"""A sitting at one problem: a warm pool, the learner's folder, and a grade each time it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from deepfield_cli import early
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.grade import Grade, GradeRequest, grade
from deepfield_cli.grading.leftovers import remove_leftovers
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.pool import WarmPool, Zygote
from deepfield_cli.sandbox.staging import SubmissionFiles


@dataclass(frozen=True)
class Listener:
    """Who wants to know how a grade goes."""

    on_plan: Callable[[Sequence[Check]], None] = lambda checks: None
    on_start: Callable[[Check], None] = lambda check: None
    on_finish: Callable[[CheckResult], None] = lambda result: None


@dataclass(frozen=True)
class Wish:
    """What the learner asked for on the command line."""

    rung: Rung = "core"
    seed: int | None = None
    only: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)


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

    def grade(
        self,
        listener: Listener | None = None,
        cancelled: threading.Event | None = None,
        files: SubmissionFiles | None = None,
    ) -> Grade:
        """Grade the folder as it is now, or as it was read; raises Cancelled if the event is set meanwhile."""
        if files is None:
            self.require_submission()
        listener = listener or Listener()
        stage, self._stage = self._stage, None
        try:
            return grade(
                self._request(files),
                self._pool,
                on_plan=listener.on_plan,
                on_start=listener.on_start,
                on_finish=listener.on_finish,
                cancelled=cancelled,
                stage=stage,
            )
        finally:
            if stage is not None:
                stage.remove()

    def warm_up(self, spares: int) -> None:
        """Prepare the next grade: a stage, and workers confined to it. Ends what the last one left."""
        self._pool.tidy()
        if self._stage is None:
            self._stage = Stage(self.location, self.wish.rung, (self.workspace.private,))
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
