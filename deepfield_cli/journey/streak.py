"""The streak: on how many days in a row something was done, up to today or yesterday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.journey.clock import start_of
from deepfield_cli.ledger import Ledger

# Laying out files, planning and quizzes are no work; these are.
COUNTED = frozenset({"attempt", "gap", "done", "attest", "review", "drill"})


@dataclass(frozen=True, slots=True)
class Streak:
    """Days in a row.

    Attributes:
        days: how many, today included if something was done today.
        today: whether something was done today.

    """

    days: int
    today: bool


ONE_DAY = timedelta(days=1)
NO_STREAK = Streak(0, False)


def read_streak(ledger: Ledger, today: date) -> Streak:
    """Look back day by day, no further than the first day off; today may be off, as it is not over."""
    worked_today = _worked(ledger, today)
    days = int(worked_today)
    day = today - ONE_DAY
    while _worked(ledger, day):
        days += 1
        day -= ONE_DAY
    return Streak(days, worked_today)


def _worked(ledger: Ledger, day: date) -> bool:
    return ledger.any_between(COUNTED, start_of(day), start_of(day + ONE_DAY))
