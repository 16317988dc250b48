"""Moments of the record in the reader's own time: how long ago, and when by their clock."""

from __future__ import annotations

from datetime import UTC, datetime

from deepfield_cli.journey import clock

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ago(at: str, now: datetime | None = None) -> str:
    """How long ago, in the coarsest words that still help."""
    moment = _moment(at)
    if moment is None:
        return "at an unknown time"
    seconds = ((now or clock.now()) - moment).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < 2 * _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    return f"{int(seconds // _DAY)} days ago"


def local(at: str) -> str:
    """Date and minute by the reader's clock."""
    moment = _moment(at)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment is not None else "?"


def _moment(at: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
