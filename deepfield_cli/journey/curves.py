"""Curves that were measured or told on the way, as attempts keep them, and several attempts in one chart."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepfield_cli.journey.history import problem_at_hand
from deepfield_cli.journey.past_attempt import ATTEMPT
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry

# A metric named loss@100 is one point of the curve "loss", at 100.
_POINT = re.compile(r"(?P<curve>[^@]+)@(?P<at>\d+(?:\.\d+)?)")
# More lines than this in one chart cannot be told apart.
MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """A number over another, e.g. a loss over steps; at least two points, in order."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The curve of one attempt.

    Attributes:
        number: the attempt's.
        at: when it was, UTC.
        solved: whether it solved the rung.
        points: the curve.

    """

    number: int
    at: str
    solved: bool
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One curve of one check, in the newest attempts that have it, the newest first.

    Attributes:
        problem: the problem's id.
        rung: the rung.
        check: the check that kept it.
        name: what is drawn, e.g. loss.
        lines: one for each attempt.
        left_out: how many older attempts have it too.

    """

    problem: str
    rung: str
    check: str
    name: str
    lines: tuple[Line, ...]
    left_out: int


def curves_in(metrics: Mapping[str, Any]) -> tuple[Curve, ...]:
    """The curves among the metrics of a check."""
    points: dict[str, list[tuple[float, float]]] = {}
    for name, value in metrics.items():
        match = _POINT.fullmatch(name)
        if match and isinstance(value, int | float) and math.isfinite(value):
            points.setdefault(match["curve"], []).append((float(match["at"]), float(value)))
    return tuple(Curve(name, tuple(sorted(found))) for name, found in points.items() if len(found) > 1)


def read_charts(workspace: Workspace, wanted: str | None, limit: int) -> tuple[Chart, ...]:
    """The curves of the newest attempts at each rung of a problem: the one named, else the one at hand, else all."""
    with workspace.record() as ledger:
        entries = _newest(ledger.entries(ATTEMPT, problem_at_hand(workspace, ledger, wanted)), limit)
        return _charts((entry, ledger.payload(entry)) for entry in entries)


def _newest(entries: Sequence[Entry], limit: int) -> list[Entry]:
    """So many of each rung: the many attempts at core have no curves, and must not hide the few that have."""
    seen: dict[tuple[str | None, str | None], int] = {}
    kept = []
    for entry in entries:
        key = entry.problem, entry.rung
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= limit:
            kept.append(entry)
    return kept


def _charts(attempts: Iterable[tuple[Entry, Mapping[str, Any]]]) -> tuple[Chart, ...]:
    lines: dict[tuple[str, str, str, str], list[Line]] = {}
    for entry, payload in attempts:
        for check in payload.get("checks", ()):
            for curve in curves_in(check.get("metrics") or {}):
                key = entry.problem or "", entry.rung or "", str(check.get("name")), curve.name
                lines.setdefault(key, []).append(Line(entry.id, entry.at, bool(entry.solved), curve.points))
    return tuple(
        Chart(*key, tuple(found[:MOST_LINES]), max(len(found) - MOST_LINES, 0)) for key, found in lines.items()
    )
