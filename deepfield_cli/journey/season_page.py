"""The season in full: its weeks, milestones and slips, and what the evidence has added since it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import DeepfieldError, WorkspaceError
from deepfield_cli.journey.clock import day_of, now, today
from deepfield_cli.journey.deeds import Deeds, read_deeds
from deepfield_cli.journey.season import MILESTONE, Season, last_season, read_seasons, worked_weeks
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger


@dataclass(frozen=True, slots=True)
class MilestoneStatus:
    """One milestone.

    Attributes:
        number: from 1.
        text: what it is.
        due: the day by which it is due if the season is spread evenly.
        reached: the day on which the learner said that it was; None before.
        late: weeks after its day, by which it was reached or is still open.

    """

    number: int
    text: str
    due: date
    reached: date | None
    late: int


@dataclass(frozen=True, slots=True)
class SeasonPage:
    """Everything about a season.

    Attributes:
        season: the commitment.
        today: the day of this look.
        worked: week to its days with work on the field's problems.
        quiet: whole weeks without any.
        milestones: in order.
        deeds: what was done since it began, by field.
        earlier: the seasons before it, newest first.

    """

    season: Season
    today: date
    worked: Mapping[int, int]
    quiet: tuple[int, ...]
    milestones: tuple[MilestoneStatus, ...]
    deeds: Mapping[str, Deeds]
    earlier: tuple[Season, ...]

    @property
    def over(self) -> bool:
        """Whether it was kept to its end."""
        return self.season.is_over(self.today)


def open_season(workspace: Workspace) -> SeasonPage:
    """The season at hand, or the last one; raise WorkspaceError where there was none."""
    texts = open_roadmap().charter.season.milestones
    day = today()
    with workspace.record() as ledger:
        season = last_season(ledger)
        if season is None:
            raise WorkspaceError("no season yet", fix="deepfield pick-field, then deepfield commit FIELD")
        worked = worked_weeks(season, ledger)
        reached = _reached(ledger, season)
        earlier = tuple(read_seasons(ledger)[1:])
    finished = season.weeks if season.is_over(day) else season.week(day) - 1
    quiet = tuple(week for week in range(1, finished + 1) if week not in worked)
    milestones = tuple(
        _milestone(season, number, text, len(texts), reached.get(number), day) for number, text in enumerate(texts, 1)
    )
    return SeasonPage(season, day, worked, quiet, milestones, read_deeds(workspace, season.at), earlier)


def reach_milestone(workspace: Workspace, number: int) -> None:
    """Record that a milestone of the season was reached; it is the learner's word, and shown as such."""
    page = open_season(workspace)
    if not 1 <= number <= len(page.milestones):
        raise DeepfieldError(f"--reached: there is no milestone {number}", fix=f"1 to {len(page.milestones)}")
    if page.milestones[number - 1].reached is not None:
        raise DeepfieldError(f"--reached: milestone {number} is on the record already", fix="deepfield season")
    with workspace.ledger() as ledger:
        ledger.append(MILESTONE, {"milestone": number, "field": page.season.field}, at=now())


def _reached(ledger: Ledger, season: Season) -> dict[int, date]:
    entries = [entry for entry in ledger.entries(MILESTONE) if entry.id > season.number]
    return {int(ledger.payload(entry)["milestone"]): day_of(entry.at) for entry in entries}


def _milestone(season: Season, number: int, text: str, count: int, reached: date | None, day: date) -> MilestoneStatus:
    due = season.started + timedelta(days=round(season.weeks * 7 * number / count))
    late = max(((reached or day) - due).days // 7, 0)
    return MilestoneStatus(number, text, due, reached, late)
