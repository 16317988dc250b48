"""The one clock of the journey, so that a month can be tried out in a minute.

``DEEPFIELD_NOW`` sets it: an ISO date and time, UTC unless it says otherwise. It is a help for tests: the times in the
record are the learner's own word in any case, and a third person trusts what can be graded again.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time

from deepfield_cli.errors import DeepfieldError

NOW_VARIABLE = "DEEPFIELD_NOW"


def now() -> datetime:
    """The moment, with its time zone; raise DeepfieldError if the variable holds no date."""
    named = os.environ.get(NOW_VARIABLE)
    if not named:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(named)
    except ValueError as error:
        raise DeepfieldError(f'{NOW_VARIABLE}: "{named}" is no ISO date', fix="e.g. 2026-11-23T09:00:00") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def today() -> date:
    """The day by the learner's own clock."""
    return now().astimezone().date()


def day_of(at: str) -> date:
    """The day of an entry by the learner's own clock."""
    return datetime.fromisoformat(at).astimezone().date()


def start_of(day: date) -> datetime:
    """Midnight by the learner's own clock, with the time zone that held then."""
    return datetime.combine(day, time.min).astimezone()


def parse_day(text: str, option: str) -> date:
    """A date from the command line; raise DeepfieldError with an example."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DeepfieldError(f'{option}: "{text}" is no date', fix="year-month-day, e.g. 2026-11-23") from error
