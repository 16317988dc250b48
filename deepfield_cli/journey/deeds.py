"""What was done in each field, as evidence beside the quiz: passes, the time that they took, give-ups, enjoyment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from deepfield_cli.content.catalogue import ListedProblem
from deepfield_cli.journey.enjoyment import read_ratings
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.solution import GIVE_UP
from deepfield_cli.journey.status import ProblemStatus
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger

# A pause longer than this between two signs of life was a pause, and not work.
LONGEST_PAUSE_HOURS = 1.0
_SIGNS_OF_LIFE = frozenset({"start", "attempt", "hint"})
# Of the hours that the road allows for a problem, so much is for writing it; the rest is for reading.
WRITING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Pass:
    """One problem that was passed.

    Attributes:
        problem: its id.
        rungs: the rungs passed.
        hours: hours of work from start to first pass, pauses left out.
        ratio: these hours against the plan's; None where the road plans none.

    """

    problem: str
    rungs: tuple[str, ...]
    hours: float
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Deeds:
    """What was done in one field.

    Attributes:
        passes: problems passed.
        ratings: problem to how much it was enjoyed, 1 to 5.
        given_up: problems whose solution was opened unsolved, and which were not passed since.

    """

    passes: tuple[Pass, ...] = ()
    ratings: Mapping[str, int] | None = None
    given_up: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done."""
        return not (self.passes or self.ratings or self.given_up)


def read_deeds(workspace: Workspace | None, since: str = "") -> dict[str, Deeds]:
    """Deeds by field, of those done since a moment (UTC); empty where there is no record."""
    if workspace is None or not workspace.has_record():
        return {}
    problems = read_problems(workspace)
    with workspace.record() as ledger:
        ratings = read_ratings(ledger, since)
        gave_up = {entry.problem or "": None for entry in ledger.entries(GIVE_UP) if entry.at >= since}
        hours = _hours_to_pass(ledger, problems)
    found = {}
    for field in dict.fromkeys(one.problem.field for one in problems):
        members = [one for one in problems if one.problem.field == field]
        found[field] = Deeds(
            passes=tuple(_pass(one, hours) for one in members if _passed_since(one, since)),
            ratings={one.problem.id: ratings[one.problem.id] for one in members if one.problem.id in ratings},
            given_up=tuple(one.problem.id for one in members if one.problem.id in gave_up and not _rungs(one)),
        )
    return found


def _pass(one: ProblemStatus, hours: Mapping[str, float]) -> Pass:
    taken = hours.get(one.problem.id, 0.0)
    return Pass(one.problem.id, _rungs(one), taken, _ratio(one.problem, taken))


def _ratio(problem: ListedProblem, taken: float) -> float | None:
    planned = problem.hours * WRITING_SHARE
    return taken / planned if planned else None


def _rungs(one: ProblemStatus) -> tuple[str, ...]:
    return tuple(rung.rung for rung in one.rungs if rung.state in ("solved", "outdated"))


def _passed_since(one: ProblemStatus, since: str) -> bool:
    return any(rung.solved_at is not None and rung.solved_at >= since for rung in one.rungs)


def _hours_to_pass(ledger: Ledger, problems: Iterable[ProblemStatus]) -> dict[str, float]:
    """Hours of work on each problem up to its first pass: gaps between signs of life, long ones cut."""
    passed = {one.problem.id: one.first_rung.solved_at for one in problems}
    moments: dict[str, list[datetime]] = defaultdict(list)
    for moment in ledger.moments():
        until = passed.get(moment.problem or "")
        if until is not None and moment.problem and moment.kind in _SIGNS_OF_LIFE and moment.at <= until:
            moments[moment.problem].append(datetime.fromisoformat(moment.at))
    return {problem: _worked(sorted(times)) for problem, times in moments.items()}


def _worked(times: list[datetime]) -> float:
    pauses = [(later - earlier).total_seconds() / 3600 for earlier, later in pairwise(times)]
    return sum(min(pause, LONGEST_PAUSE_HOURS) for pause in pauses)
