"""What a race on a device told, read in the grader: the times come from the learner's process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepfield_cli.errors import CheckFailed
from graders.kit.intervals import interval

_HELP = (
    "Work on the stream that you are called on, finish there, change no argument, and compute every answer from the "
    "arguments of that very call."
)


@dataclass(frozen=True)
class RaceRecord:
    """Seconds of each timed call by name, and what was looked at after every call."""

    device: str
    seconds: Mapping[str, Sequence[float]]
    looked_at: Mapping[str, Sequence[Any]]

    def median(self, name: str) -> float:
        """The median of one runner's calls."""
        return interval(self.seconds[name]).median


def read(wire: Any, names: Sequence[str]) -> RaceRecord:
    """Give the record, or raise CheckFailed: unreadable, or a clock that cannot be trusted."""
    try:
        record = RaceRecord(
            device=str(wire["device"])[:100],
            seconds={name: times(wire["seconds"][name]) for name in names},
            looked_at={name: list(wire["looked_at"][name]) for name in names},
        )
        notes = [str(note) for note in wire["notes"]]
    except (KeyError, TypeError, ValueError):
        raise CheckFailed("the times cannot be read", diagnosis="bad-answer") from None
    if notes:
        raise CheckFailed("the measurement cannot be trusted", actual="; ".join(notes)[:500], help=_HELP)
    return record


def times(value: Any) -> list[float]:
    """Seconds, at least one and all of them positive; ValueError otherwise."""
    found = [float(item) for item in value] if isinstance(value, list) else []
    if not found or not all(math.isfinite(item) and item > 0.0 for item in found):
        raise ValueError("no times")
    return found
