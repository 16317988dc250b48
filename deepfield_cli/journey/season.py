"""Seasons: the commitment to one field, read from the record, and the one refusal that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.errors import ContentError, DeepfieldError, near_miss
from deepfield_cli.journey.clock import day_of, now, today
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

COMMIT, MILESTONE, SEASON_REVIEW = "commit", "season-milestone", "season-review"
# Kinds of entries that are work on a problem: a week without any is a quiet one.
WORK = frozenset({"attempt", "gap", "review"})
# A cold and a holiday do not break a season.
QUIET_WEEKS_ALLOWED = 2


class SeasonError(DeepfieldError):
    """A season is running, and what was asked would leave it."""


@dataclass(frozen=True, slots=True)
class Season:
    """One commitment.

    Attributes:
        number: its entry in the record.
        field: the field.
        weeks: how long it is.
        started: the first day.
        at: the moment of the commitment, UTC.

    """

    number: int
    field: str
    weeks: int
    started: date
    at: str

    @property
    def ends(self) -> date:
        """The first day on which another field can be chosen."""
        return self.started + timedelta(weeks=self.weeks)

    def is_over(self, day: date) -> bool:
        """Whether it has been kept to its end."""
        return day >= self.ends

    def week(self, day: date) -> int:
        """The week that this day is in, from 1; at most the last."""
        return min(max((day - self.started).days // 7 + 1, 1), self.weeks)

    def weeks_left(self, day: date) -> int:
        """Weeks until its end, the one at hand included."""
        return max(-(-(self.ends - day).days // 7), 0)


def read_seasons(ledger: Ledger) -> list[Season]:
    """Every season, the newest first."""
    return [_season(ledger, entry) for entry in ledger.entries(COMMIT)]


def last_season(ledger: Ledger) -> Season | None:
    """The season at hand, or the one that ended last."""
    newest = ledger.entries(COMMIT, limit=1)
    return _season(ledger, newest[0]) if newest else None


def commit(workspace: Workspace, field: str, weeks: int | None = None) -> Season:
    """Open a season.

    Raises:
        ContentError: there is no such field.
        SeasonError: a season is running, or the wish is shorter than a season can be.

    """
    from deepfield_cli.content.resource import FIELDS
    from deepfield_cli.content.road import open_roadmap

    rule = open_roadmap().charter.season
    if field not in FIELDS:
        known = ", ".join(FIELDS)
        raise ContentError(f'there is no field "{field}"', fix=near_miss(field, FIELDS) or f"one of {known}")
    length = rule.min_weeks if weeks is None else weeks
    if length < rule.min_weeks:
        what = f"a season has at least {rule.min_weeks} weeks, not {length}"
        raise SeasonError(what, fix=f"--weeks {rule.min_weeks}")
    with workspace.ledger() as ledger, ledger.batch():
        _refuse_inside(last_season(ledger), field, rule.rule)
        return _season(ledger, ledger.append(COMMIT, {"field": field, "weeks": length}, at=now()))


def kept_weeks(season: Season, ledger: Ledger, day: date) -> int:
    """Weeks that count as kept: none before its end, and of one with many quiet weeks only the others."""
    if not season.is_over(day):
        return 0
    worked = worked_weeks(season, ledger)
    quiet = season.weeks - len(worked)
    return season.weeks if quiet <= QUIET_WEEKS_ALLOWED else len(worked)


def worked_weeks(season: Season, ledger: Ledger) -> dict[int, int]:
    """How many days of each week had work on the field's problems; weeks without any are absent."""
    days: dict[int, set[date]] = {}
    for moment in ledger.moments(since=season.at):
        day = day_of(moment.at)
        if moment.kind in WORK and (moment.problem or "").startswith(f"{season.field}/") and day < season.ends:
            days.setdefault(season.week(day), set()).add(day)
    return {week: len(worked) for week, worked in sorted(days.items())}


def _refuse_inside(running: Season | None, field: str, rule: str) -> None:
    if running is None or running.is_over(today()):
        return
    if running.field == field:
        raise SeasonError(f"this is already your season of {field}, until {running.ends}", fix="deepfield season")
    raise SeasonError(
        f"your season of {running.field} runs until {running.ends}, so it is not {field}'s turn. {rule}",
        fix=f"on {running.ends} deepfield pick-field looks at the evidence again",
    )


def _season(ledger: Ledger, entry: Entry) -> Season:
    payload = ledger.payload(entry)
    return Season(entry.id, str(payload["field"]), int(payload["weeks"]), day_of(entry.at), entry.at)
