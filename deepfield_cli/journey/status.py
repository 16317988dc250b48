"""The models of where a learner stands; dataclasses, because ``status`` has no time to import pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepfield_cli.content.catalogue import ListedProblem
from deepfield_cli.journey.past_attempt import PastAttempt
from deepfield_cli.journey.plan_pace import Pace
from deepfield_cli.journey.season import Season
from deepfield_cli.journey.streak import NO_STREAK, Streak

RUNGS = ("core", "laptop", "paper")

# confirmed: an outside service says so. outdated: solved, but by checks that have changed since. planned: nothing can
# grade it yet. absent: no such rung.
RungState = Literal["solved", "confirmed", "outdated", "tried", "open", "planned", "absent"]


@dataclass(frozen=True, slots=True)
class RungStatus:
    """How far one rung of one problem is.

    Attributes:
        rung: core, laptop or paper.
        state: solved, confirmed, outdated, tried, open, planned or absent.
        attempts: how many were scored.
        best_score: the highest score, 0 to 1.
        solved_at: when it was first solved, UTC.
        last_at: when it was last tried, UTC.

    """

    rung: str
    state: RungState
    attempts: int = 0
    best_score: float | None = None
    solved_at: str | None = None
    last_at: str | None = None

    @property
    def is_solved(self) -> bool:
        """Whether the checks of today count it as solved."""
        return self.state == "solved"

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do: solved, or confirmed where nothing can be measured."""
        return self.state in ("solved", "confirmed")


@dataclass(frozen=True, slots=True)
class ProblemStatus:
    """How far one problem is.

    Attributes:
        problem: the problem.
        rungs: core, laptop and paper, in this order, absent ones too.
        started: whether it was ever laid out here.
        gave_up: whether the solution was shown before core was solved.
        hints_shown: how many hints were shown.

    """

    problem: ListedProblem
    rungs: tuple[RungStatus, ...]
    started: bool = False
    gave_up: bool = False
    hints_shown: int = 0

    @property
    def attempts(self) -> int:
        """Attempts at all rungs."""
        return sum(rung.attempts for rung in self.rungs)

    @property
    def first_rung(self) -> RungStatus:
        """The rung that counts as having solved the problem: core, where it has one."""
        return next(rung for rung in self.rungs if rung.state != "absent")

    @property
    def next_rung(self) -> RungStatus | None:
        """The lowest rung that is not solved."""
        return next((rung for rung in self.rungs if rung.state != "absent" and not rung.is_done), None)


@dataclass(frozen=True, slots=True)
class FieldStatus:
    """The problems of one field.

    Attributes:
        name: the field.
        problems: in the order of the road.
        title: what its stage is called; empty for a field that the road does not know.
        surveyed: whether the rule of its stage for moving on is met.

    """

    name: str
    problems: tuple[ProblemStatus, ...]
    title: str = ""
    surveyed: bool = False

    @property
    def solved(self) -> int:
        """How many of its problems are solved."""
        return sum(problem.first_rung.is_solved for problem in self.problems)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next: a command to type, and why."""

    command: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeasonStatus:
    """The season, as of today.

    Attributes:
        season: the commitment.
        week: the week at hand, from 1.
        weeks_left: weeks to its end, this one included.
        over: whether it was kept to its end.
        reached: milestones reached.
        milestones: how many there are.

    """

    season: Season
    week: int
    weeks_left: int
    over: bool
    reached: int
    milestones: int


@dataclass(frozen=True, slots=True)
class Status:
    """Where the learner stands.

    Attributes:
        root: the workspace.
        fields: the fields in the order of the road.
        current: the problem of this folder, else the one that was last started.
        last: the newest attempt.
        elsewhere: problems with attempts that no pack holds any more.
        next_step: what to do next.
        season: the season at hand or just over; None before the first.
        pace: how far from the plan; None without one.
        streak: days in a row with work.
        due_reviews: how many reviews are due; None where nothing is reviewed.

    """

    root: Path
    fields: tuple[FieldStatus, ...]
    current: str | None
    last: PastAttempt | None
    elsewhere: tuple[str, ...]
    next_step: NextStep
    season: SeasonStatus | None = None
    pace: Pace | None = None
    streak: Streak = NO_STREAK
    due_reviews: int | None = None

    @property
    def outdated(self) -> tuple[str, ...]:
        """Problems that were solved by checks which have changed since."""
        return tuple(one.problem.id for one in self.problems if any(rung.state == "outdated" for rung in one.rungs))

    @property
    def problems(self) -> tuple[ProblemStatus, ...]:
        """The problems of all fields."""
        return tuple(problem for field in self.fields for problem in field.problems)

    @property
    def attempts(self) -> int:
        """Attempts at all problems."""
        return sum(problem.attempts for problem in self.problems)
