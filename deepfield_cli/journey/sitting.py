"""One sitting of a long grade: begun or taken up again, held by a lock, and kept for the next one if interrupted."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from deepfield_cli.errors import DeepfieldError, WorkspaceError
from deepfield_cli.grading.grade import Grade, GradeRequest
from deepfield_cli.grading.result import GradeResult
from deepfield_cli.journey.run_events import Event, EventWriter
from deepfield_cli.journey.run_note import Ending, RunNote
from deepfield_cli.journey.runs import RunFolder
from deepfield_cli.journey.session import Listener
from deepfield_cli.ledger import Entry
from deepfield_cli.sandbox.staging import SubmissionFiles

# A grade that is killed forgets at most so much of what it used of its budget.
_PULSE_SECONDS = 5.0
_FLUSH_SECONDS = 0.5


class Interrupted(DeepfieldError):
    """Ctrl-C, where there is something to go on with."""

    exit_code = 130


@dataclass
class Sitting:
    """A context in which one long grade runs.

    What the checks keep is removed at its end if there was a verdict, and stays if there was none.

    Attributes:
        folder: where it is kept.
        note: what is graded.
        files: the learner's files, as they were read.
        budget_seconds: the rung's whole budget.
        spent_before: what earlier sittings used of it.

    """

    folder: RunFolder
    note: RunNote
    files: SubmissionFiles
    budget_seconds: float
    spent_before: float
    lock: int

    def __enter__(self) -> Sitting:
        self.is_kept = self._concluded = False
        self._began = time.monotonic()
        self._over = threading.Event()
        self._events = EventWriter(self.folder.events, self.left_seconds)
        self._pulse = threading.Thread(target=self._keep_time, name="pulse", daemon=True)
        self._pulse.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._pulse.join()
        self._events.close()
        self.is_kept = not self._concluded and self.folder.has_training()
        if self.is_kept:
            self.folder.write_spent(self._spent())
        else:
            self.folder.remove()
        os.close(self.lock)
        if self.is_kept and isinstance(error, KeyboardInterrupt):
            raise Interrupted("interrupted", fix=f"{self.resume_command} goes on") from error

    @property
    def left_seconds(self) -> float:
        """What is left of the budget for this sitting."""
        return self.budget_seconds - self.spent_before

    def request(self, request: GradeRequest) -> GradeRequest:
        """The same request in every sitting: what was drawn or given in the first one, and what it has kept."""
        return replace(
            request,
            files=self.files,
            seed=self.note.seed,
            only=self.note.only,
            data={name: Path(path) for name, path in self.note.data.items()},
            keep=self.folder.checks,
            spent_seconds=self.spent_before,
        )

    @property
    def resume_command(self) -> str:
        """What goes on with it, if it is interrupted."""
        return resume_command(self.note.problem, self.note.rung)

    def signed(self, outcome: Grade) -> Grade:
        """The result says in how many sittings it came about: what was kept in between was not under our eyes."""
        if self.note.sittings == 1:
            return outcome
        environment = {**outcome.result.environment, "sittings": str(self.note.sittings)}
        return replace(outcome, result=outcome.result.model_copy(update={"environment": environment}))

    def listener(self) -> Listener:
        """What writes the events."""
        return self._events.listener()

    def conclude(self, result: GradeResult, entry: Entry | None) -> None:
        """The verdict is there and recorded. Where the grader itself broke there is none, and the training stays."""
        ending = Ending(
            problem=result.problem,
            rung=self.note.rung,
            exit_code=result.exit_code,
            entry=entry.id if entry is not None else None,
            result=None if entry is not None else result.model_dump(mode="json"),
        )
        self.folder.write_ending(ending)
        self._events.write(Event(event="end", ending=ending))
        self._concluded = result.score is not None

    def _spent(self) -> float:
        return self.spent_before + time.monotonic() - self._began

    def _keep_time(self) -> None:
        kept = 0.0
        while not self._over.wait(_FLUSH_SECONDS):
            self._events.flush()
            if self._spent() - kept >= _PULSE_SECONDS:
                kept = self._spent()
                self.folder.write_spent(kept)


def resume_command(problem: str, rung: str) -> str:
    """What goes on with an interrupted run."""
    return f"deepfield grade {problem} --rung {rung} --resume"


def under_way(problem: str, rung: str) -> WorkspaceError:
    """What to say to a second grade of the same rung."""
    return WorkspaceError(f"a grade of {problem} {rung} is under way", fix="deepfield attach shows it")
