"""The plan as an iCalendar file (RFC 5545): one all-day event for each problem, and the season's milestones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from deepfield_cli.journey.plan_pace import Step

# RFC 5545, 3.1: a line is at most 75 octets long, its CRLF not counted; what follows begins with one space.
_LONGEST = 75


@dataclass(frozen=True, slots=True)
class Event:
    """One all-day event.

    Attributes:
        uid: the same whenever the same thing is exported again, so that calendars update and do not double it.
        title: what the calendar shows.
        text: more, when it is opened.
        start: the first day.
        end: the day after the last.

    """

    uid: str
    title: str
    text: str
    start: date
    end: date


def write_calendar(events: Sequence[Event], stamp: datetime) -> bytes:
    """The file's bytes."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//deepfield//plan//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", "X-WR-CALNAME:deepfield"]
    for event in events:
        lines += _event_lines(event, stamp)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def plan_events(steps: Sequence[Step], titles: Mapping[str, tuple[str, str]]) -> Iterator[Event]:
    """One event for each step of a plan; ``titles`` maps problem id to its title and a sentence about it."""
    for step in steps:
        title, text = titles.get(step.problem, (step.problem, ""))
        about = f"{text}\n{step.hours:g} hours planned. deepfield start {step.problem}"
        yield Event(f"plan-{_safe(step.problem)}@deepfield", f"{step.problem}: {title}", about, step.start, step.end)


def _event_lines(event: Event, stamp: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{event.start:%Y%m%d}",
        f"DTEND;VALUE=DATE:{event.end:%Y%m%d}",
        f"SUMMARY:{_escaped(event.title)}",
        f"DESCRIPTION:{_escaped(event.text)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _safe(problem: str) -> str:
    return problem.replace("/", "-")


def _escaped(text: str) -> str:
    """RFC 5545, 3.3.11: backslash, semicolon, comma and newline are escaped in a text."""
    for character, escape in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(character, escape)
    return text


def _folded(line: str) -> bytes:
    """Cut a long line between characters, never inside the bytes of one."""
    pieces, piece, room = [], b"", _LONGEST
    for character in line:
        encoded = character.encode("utf-8")
        if len(piece) + len(encoded) > room:
            pieces.append(piece)
            piece, room = b"", _LONGEST - 1
        piece += encoded
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"
