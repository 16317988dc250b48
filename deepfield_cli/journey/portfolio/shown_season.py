"""A season as it is shown to others: how long, and how much of it was kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from deepfield_cli.journey.clock import today
from deepfield_cli.journey.season import Season, kept_weeks
from deepfield_cli.ledger import Ledger

if TYPE_CHECKING:
    from deepfield_cli.content.roadmap import Roadmap


@dataclass(frozen=True, slots=True)
class ShownSeason:
    """A season: its field, its days, and how much of it is over or kept."""

    field: str
    title: str
    started: date
    ends: date
    weeks: int
    kept: int
    over: bool
    week: int


def shown_season(season: Season, ledger: Ledger, roadmap: Roadmap) -> ShownSeason:
    """One season as of today."""
    day = today()
    stage = roadmap.stages.get(season.field)
    return ShownSeason(
        field=season.field,
        title=stage.title if stage else season.field,
        started=season.started,
        ends=season.ends,
        weeks=season.weeks,
        kept=kept_weeks(season, ledger, day),
        over=season.is_over(day),
        week=season.week(day),
    )
