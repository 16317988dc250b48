"""The streak: on how many days in a row something was done, up to today or yesterday."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.journey.clock import day_of
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


NO_STREAK = Streak(0, False)


def read_streak(ledger: Ledger, today: date) -> Streak:
    """Read the record backwards, no further than the first day off."""
    return count_streak(_days(ledger), today)


def count_streak(days: Iterable[date], today: date) -> Streak:
    """Count days, newest first, that follow each other without a gap; later days than today are passed over."""
    worked_today, number, expected = False, 0, today
    for day in days:
        if day > expected:
            continue
        if day < expected and number == 0 and day == today - timedelta(days=1):
            expected = day  # today is not over: yesterday's streak still stands
        if day < expected:
            break
        worked_today = worked_today or day == today
        number += 1
        expected = day - timedelta(days=1)
    return Streak(number, worked_today)


def _days(ledger: Ledger) -> Iterator[date]:
    """The local day of each hour in which something was done; entries of one hour are looked at once."""
    hour = ""
    for moment in ledger.moments():
        if moment.kind in COUNTED and moment.at[:13] != hour:
            hour = moment.at[:13]
            yield day_of(moment.at)
