"""A run that takes minutes: a folder that survives an interruption, and what the learner's progress file tells."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepfield_cli.sandbox.scratch import read_file

_LOOK_SECONDS = 0.25
# The learner's own file: what is read of it at once, and what is kept of it, are bounded.
_READ_BYTES = 1 << 18
_MAXIMUM_POINTS = 50_000
_MAXIMUM_VALUES = 6
# Points of a curve that are kept with the attempt: enough for a plot, few enough for a record.
_KEPT_POINTS = 120
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class Progress:
    """How far a check is.

    Attributes:
        check: its name.
        step: the step that was done last.
        total: the last step there will be, if known.
        values: numbers by name, the loss for instance.

    """

    check: str
    step: int
    total: int | None
    values: Mapping[str, float]


@dataclass
class LongRun:
    """What a check that asks for ``run`` is given.

    Attributes:
        check: the check's name.
        place: the worker's scratch folder; after an interruption it is the same one, with everything in it.
        resumed: whether an earlier run was interrupted here.
        on_progress: called with each step that is told.

    """

    check: str
    place: Path
    resumed: bool = False
    on_progress: Callable[[Progress], None] = lambda progress: None
    _curves: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder's absolute path, as the worker sees it too."""
        return str(self.place)

    def report(self, *, step: int, total: int | None = None, **values: float) -> None:
        """Tell of one step, and keep its numbers for the curve."""
        for name, value in values.items():
            curve = self._curves.setdefault(name, {})
            if len(curve) < _MAXIMUM_POINTS:
                curve[step] = value
        self.on_progress(Progress(self.check, step, total, values))

    @contextmanager
    def following(self, name: str, *, total: int | None = None) -> Iterator[None]:
        """Report what is added to a file of JSON lines in the folder, as long as the context is open.

        Each line is an object with a whole number ``step`` and finite numbers by name; other lines, and other values,
        are passed over: the file is the learner's, and proves nothing.
        """
        over = threading.Event()
        tail = _Tail(self, name, total)
        thread = threading.Thread(target=tail.follow, args=(over,), name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            tail.look()

    def metrics(self) -> dict[str, float]:
        """The curves as metrics, ``loss@200`` being the loss at step 200; thinned evenly, first and last point kept."""
        return {
            f"{name}@{step}": curve[step] for name, curve in self._curves.items() for step in _thinned(sorted(curve))
        }


class _Tail:
    """Reads what was added to a file since the last look."""

    def __init__(self, run: LongRun, name: str, total: int | None) -> None:
        self._run, self._name, self._total = run, name, total
        self._offset, self._rest = 0, b""

    def follow(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        added = read_file(self._run.place, self._name, offset=self._offset, maximum_bytes=_READ_BYTES)
        if not added:
            return
        self._offset += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        self._rest = self._rest[:_READ_BYTES]
        for line in lines:
            point = _point(line)
            if point is not None:
                self._run.report(step=point[0], total=self._total, **point[1])


def _point(line: bytes) -> tuple[int, dict[str, float]] | None:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or type(found.get("step")) is not int or abs(found["step"]) > 1 << 53:
        return None
    numbers = {name: value for name, value in found.items() if name not in ("step", "total") and _is_number(value)}
    names = [name for name in numbers if _NAME.fullmatch(name)][:_MAXIMUM_VALUES]
    return found["step"], {name: float(numbers[name]) for name in names}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)


def _thinned(steps: list[int]) -> list[int]:
    if len(steps) <= _KEPT_POINTS:
        return steps
    last = len(steps) - 1
    return [steps[round(index * last / (_KEPT_POINTS - 1))] for index in range(_KEPT_POINTS)]
