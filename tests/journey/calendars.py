"""A reader of iCalendar files that shares nothing with the writer: it follows RFC 5545 and refuses what breaks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_REQUIRED = {"UID", "DTSTAMP"}
_ESCAPES = {"\\n": "\n", "\\N": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}


@dataclass
class Calendar:
    """Properties of the calendar, and each event's properties with their parameters in the name."""

    properties: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)


def read_calendar(content: bytes) -> Calendar:
    """Read a file; raise AssertionError where it is none."""
    assert content.endswith(b"\r\n")
    for raw in content.split(b"\r\n"):
        raw.decode("utf-8")  # folding must not cut a character
    lines = re.sub(rb"\r\n[ \t]", b"", content).decode("utf-8").split("\r\n")[:-1]
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    calendar = Calendar()
    event: dict[str, str] | None = None
    for line in lines[1:-1]:
        name, colon, value = line.partition(":")
        assert colon, line
        if line == "BEGIN:VEVENT":
            assert event is None
            event = {}
        elif line == "END:VEVENT":
            assert event is not None
            assert event.keys() >= _REQUIRED
            calendar.events.append(event)
            event = None
        else:
            target = calendar.properties if event is None else event
            assert name not in target, f"{name} twice"
            target[name] = re.sub(r"\\[nN,;\\]", lambda found: _ESCAPES[found[0]], value)
    assert {"VERSION", "PRODID"} <= calendar.properties.keys()
    return calendar
