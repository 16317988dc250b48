"""Progress: where the learner stands, asked of the record every time and never kept beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepfield_cli.content.catalogue import Catalogue, ListedProblem, read_catalogue
from deepfield_cli.errors import ContentError, near_miss
from deepfield_cli.journey.clock import today
from deepfield_cli.journey.counts import CONFIRM, attested_counts, confirmed_counts, solved_rungs
from deepfield_cli.journey.due import due_reviews
from deepfield_cli.journey.next_step import choose_next_step
from deepfield_cli.journey.past_attempt import newest_attempt
from deepfield_cli.journey.plan_pace import Pace, pace, read_plan
from deepfield_cli.journey.rules import Facts, decide
from deepfield_cli.journey.season import MILESTONE, last_season
from deepfield_cli.journey.status import (
    RUNGS,
    FieldStatus,
    ProblemStatus,
    RungStatus,
    SeasonStatus,
    Status,
)
from deepfield_cli.journey.streak import read_streak
from deepfield_cli.journey.workspace import Workspace, planned_at, problem_at
from deepfield_cli.ledger import Ledger, ProblemProgress

_Rows = Mapping[tuple[str, str], ProblemProgress]


def read_status(workspace: Workspace) -> Status:
    """Where the learner of this workspace stands."""
    catalogue = read_catalogue()
    with workspace.record() as ledger:
        rows = ledger.progress()
        fields = _read_fields(ledger, catalogue, rows)
        starts = ledger.entries(kind="start", limit=1)
        last = newest_attempt(ledger)
        season = _season_status(ledger, catalogue)
        streak = read_streak(ledger, today())
        pace_now = _pace(ledger, fields)
        due = due_reviews(ledger, rows)
    problems = [problem for field in fields for problem in field.problems]
    here = problem_at(workspace, Path.cwd())
    current = here.id if here else planned_at(workspace, Path.cwd())
    current = current or (starts[0].problem if starts else None)
    return Status(
        root=workspace.root,
        fields=fields,
        current=current,
        last=last,
        elsewhere=tuple(sorted({row.problem for row in rows} - {one.id for one in catalogue.problems})),
        next_step=choose_next_step(problems, current, last, season),
        season=season,
        pace=pace_now,
        streak=streak,
        due_reviews=due,
    )


def read_problems(workspace: Workspace | None, field: str | None = None) -> tuple[ProblemStatus, ...]:
    """Every problem, or those of one field, and how far each is; all open where there is no workspace."""
    catalogue = read_catalogue()
    _require_field(catalogue, field)
    problems = _all_problems(workspace, catalogue)
    return tuple(one for one in problems if field is None or one.problem.field == field)


def _require_field(catalogue: Catalogue, field: str | None) -> None:
    if field is not None and field not in catalogue.fields:
        known = ", ".join(catalogue.fields)
        raise ContentError(
            f'there is no field "{field}"', fix=near_miss(field, catalogue.fields) or f"there are {known}"
        )


def _all_problems(workspace: Workspace | None, catalogue: Catalogue) -> tuple[ProblemStatus, ...]:
    if workspace is None or not workspace.has_record():
        return tuple(_problem_status(problem, {}, {}) for problem in catalogue.problems)
    with workspace.record() as ledger:
        fields = _read_fields(ledger, catalogue, ledger.progress())
    return tuple(problem for field in fields for problem in field.problems)


def _read_fields(ledger: Ledger, catalogue: Catalogue, progress: Sequence[ProblemProgress]) -> tuple[FieldStatus, ...]:
    rows = {(row.problem, row.rung): row for row in progress}
    solved_versions = {
        key: ledger.payload(ledger.entry(row.solving_entry)).get("problem_version", 0)
        for key, row in rows.items()
        if row.solving_entry is not None
    }
    facts = _Facts(ledger)
    problems = [facts.added_to(_problem_status(problem, rows, solved_versions)) for problem in catalogue.problems]
    known = Facts(solved=solved_rungs(problems), confirmed=confirmed_counts(ledger), attested=attested_counts(ledger))
    stages = {stage.id: stage for stage in catalogue.stages}
    found = []
    for field in catalogue.fields:
        members = tuple(one for one in problems if one.problem.field == field)
        stage = stages.get(field)
        surveyed = stage is not None and decide(stage.survey, known).holds
        found.append(FieldStatus(field, members, stage.title if stage else "", surveyed))
    return tuple(found)


def _season_status(ledger: Ledger, catalogue: Catalogue) -> SeasonStatus | None:
    season = last_season(ledger)
    if season is None:
        return None
    day = today()
    numbers = {
        ledger.payload(entry).get("milestone") for entry in ledger.entries(MILESTONE) if entry.id > season.number
    }
    return SeasonStatus(
        season=season,
        week=season.week(day),
        weeks_left=season.weeks_left(day),
        over=season.is_over(day),
        reached=len(numbers),
        milestones=catalogue.milestones,
    )


def _pace(ledger: Ledger, fields: tuple[FieldStatus, ...]) -> Pace | None:
    plan = read_plan(ledger)
    if plan is None:
        return None
    problems = [one for field in fields for one in field.problems]
    solved = {one.problem.id for one in problems if one.first_rung.is_done}
    ungraded = {one.problem.id for one in problems if not one.problem.graded}
    return pace(plan, solved, today(), ungraded)


class _Facts:
    """What the record says about problems beside attempts: begun, given up, helped."""

    def __init__(self, ledger: Ledger) -> None:
        self.started = {entry.problem for entry in ledger.entries(kind="start")}
        self.gave_up = {entry.problem: entry.at for entry in ledger.entries(kind="give-up")}
        self.confirmed = {(entry.problem, entry.rung): entry.at for entry in ledger.entries(kind=CONFIRM)}
        self.hints: dict[str | None, int] = {}
        for entry in ledger.entries(kind="hint"):
            self.hints[entry.problem] = self.hints.get(entry.problem, 0) + 1

    def added_to(self, status: ProblemStatus) -> ProblemStatus:
        name = status.problem.id
        return ProblemStatus(
            problem=status.problem,
            rungs=tuple(self._confirmed(name, rung) for rung in status.rungs),
            started=name in self.started,
            gave_up=name in self.gave_up,
            hints_shown=self.hints.get(name, 0),
        )

    def _confirmed(self, problem: str, rung: RungStatus) -> RungStatus:
        """A rung that somebody else vouches for, where nothing was measured."""
        at = self.confirmed.get((problem, rung.rung))
        return rung if at is None or rung.is_solved else RungStatus(rung.rung, "confirmed", solved_at=at)


def _problem_status(problem: ListedProblem, rows: _Rows, versions: Mapping[tuple[str, str], int]) -> ProblemStatus:
    return ProblemStatus(problem, tuple(_rung_status(problem, rung, rows, versions) for rung in RUNGS))


def _rung_status(problem: ListedProblem, rung: str, rows: _Rows, versions: Mapping[tuple[str, str], int]) -> RungStatus:
    if rung not in problem.rungs:
        return RungStatus(rung, "absent")
    row = rows.get((problem.id, rung))
    if row is None:
        return RungStatus(rung, "open" if problem.graded or problem.hand_in else "planned")
    outdated = versions.get((problem.id, rung), 0) < problem.version
    solved = "outdated" if outdated else "solved"
    return RungStatus(
        rung=rung,
        state=solved if row.solved else "tried",  # type: ignore[arg-type]
        attempts=row.attempts,
        best_score=row.best_score,
        solved_at=row.first_solved_at,
        last_at=row.last_at,
    )
