"""What happens in a long grade, as lines in a file: written by the grade, read by ``attach``."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepfield_cli.grading.long_run import Progress
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.run_note import Ending
from deepfield_cli.journey.session import Listener
from deepfield_cli.whole_files import whole_file

# A step is told at once, later ones when this much time has passed: a share of the run's age, so that a day of
# training makes a file of a few megabytes, and no less often than whoever watches would bear.
_SHORTEST_SECONDS, _LONGEST_SECONDS, _SHARE = 0.5, 10.0, 0.002
_POINTS_AT_ONCE = 12
_READ_BYTES = 1 << 20
# No line of ours is longer, but one that holds the result of a partial run.
_LONGEST_LINE = 32 << 20

Point = tuple[int, Mapping[str, float]]


class Event(BaseModel):
    """One line; which of the other fields there are depends on what happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Literal["begin", "plan", "start", "progress", "finish", "end"] = Field(description="what happened")
    at: float = Field(default_factory=time.time, description="when, seconds of the wall clock")
    seconds: float | None = Field(default=None, description="begin: what is left of the budget; finish: what it took")
    checks: tuple[str, ...] | None = Field(default=None, description="plan: the checks in order")
    check: str | None = Field(default=None, description="start, progress, finish: the check's name")
    outcome: Literal["passed", "failed", "skipped", "errored"] | None = Field(default=None, description="finish")
    diagnosis: str | None = Field(default=None, description="finish: the mistake that was named")
    total: int | None = Field(default=None, description="progress: the last step that there will be, if known")
    points: tuple[Point, ...] | None = Field(default=None, description="progress: steps, and numbers by name")
    ending: Ending | None = Field(default=None, description="end")


class EventWriter:
    """Writes the events of one sitting; may be called from several threads. A full disk costs the events alone."""

    def __init__(self, path: Path, budget_seconds: float) -> None:
        self._began = time.time()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Progress]] = {}
        self._told: dict[str, float] = {}
        self._file: int | None = None
        # A file of its own for each sitting, in its place only once it says so: a reader notices the change.
        with contextlib.suppress(OSError), whole_file(path, mode=0o600) as fresh:
            self._file = os.open(fresh, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self.write(Event(event="begin", seconds=budget_seconds))

    def close(self) -> None:
        """Nothing more will happen."""
        if self._file is not None:
            os.close(self._file)

    def flush(self) -> None:
        """Write the progress whose time has come: nothing else may happen for a while."""
        now = time.time()
        pause = min(max(_SHARE * (now - self._began), _SHORTEST_SECONDS), _LONGEST_SECONDS)
        with self._lock:
            for check in [name for name in self._waiting if now - self._told.get(name, 0.0) >= pause]:
                self._told[check] = now
                self._tell(check)

    def listener(self) -> Listener:
        """What to hand to the grade."""
        return Listener(on_plan=self._plan, on_start=self._start, on_finish=self._finish, on_progress=self._progress)

    def write(self, event: Event) -> None:
        """Write one line, at once."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.write(self._file, event.model_dump_json(exclude_none=True).encode() + b"\n")

    def _plan(self, checks: Sequence[Check]) -> None:
        self.write(Event(event="plan", checks=tuple(check.name for check in checks)))

    def _start(self, check: Check) -> None:
        self.write(Event(event="start", check=check.name))

    def _finish(self, result: CheckResult) -> None:
        with self._lock:
            self._tell(result.name)
        diagnosis = result.cause.diagnosis if result.cause else None
        self.write(
            Event(
                event="finish",
                check=result.name,
                outcome=result.outcome,
                seconds=result.seconds,
                diagnosis=diagnosis,
            )
        )

    def _progress(self, progress: Progress) -> None:
        with self._lock:
            self._waiting.setdefault(progress.check, []).append(progress)
        self.flush()

    def _tell(self, check: str) -> None:
        """Write what has gathered, thinned: thousands of steps may have been read at once after an interruption."""
        waiting = self._waiting.pop(check, [])
        if waiting:
            stride = -(-len(waiting) // _POINTS_AT_ONCE)
            kept = waiting[::-stride][::-1]  # the last one in any case
            points = tuple((one.step, dict(one.values)) for one in kept)
            self.write(Event(event="progress", check=check, total=kept[-1].total, points=points))


class EventReader:
    """Reads what is added to the events; goes on with the new file when another sitting begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._rest = b""

    def close(self) -> None:
        """Read no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> Iterator[Event]:
        """What was added since the last time. What was opened is read to its end, even if the file is gone by now."""
        yield from self._read_on()
        if self._has_changed():
            self.close()
            self._rest = b""
            with contextlib.suppress(OSError):
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            yield from self._read_on()

    def _read_on(self) -> Iterator[Event]:
        while self._file is not None and (added := os.read(self._file, _READ_BYTES)):
            *lines, rest = (self._rest + added).split(b"\n")
            self._rest = rest[:_LONGEST_LINE]
            for line in lines:
                with contextlib.suppress(ValidationError):  # cut off by a full disk
                    yield Event.model_validate_json(line)

    def _has_changed(self) -> bool:
        try:
            named = os.stat(self._path)
        except OSError:
            return False
        if self._file is None:
            return True
        held = os.fstat(self._file)
        return (named.st_dev, named.st_ino) != (held.st_dev, held.st_ino)
