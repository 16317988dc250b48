"""What a long grade writes down for whoever looks: whole, bounded, and of this sitting only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.grading.long_run import Progress
from deepfield_cli.grading.result import Cause, CheckResult
from deepfield_cli.grading.suite import Check, Suite
from deepfield_cli.journey import run_events
from deepfield_cli.journey.run_events import Event, EventReader, EventWriter
from deepfield_cli.journey.run_note import Ending


class Clock:
    """A wall clock that is moved by hand."""

    now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(run_events, "time", made)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def reader(path: Path) -> Iterator[EventReader]:
    made = EventReader(path)
    yield made
    made.close()


def check(name: str) -> Check:
    def function(submission: Any) -> None:
        """Trains."""

    function.__name__ = name
    suite = Suite("tiny/descent")
    suite.check(rung="laptop")(function)
    return suite.checks[0]


def told(events: Iterator[Event]) -> list[dict[str, Any]]:
    return [event.model_dump(exclude_none=True, exclude={"at"}) for event in events]


def test_what_is_written_is_read(path: Path, reader: EventReader) -> None:
    writer = EventWriter(path, 900.0)
    listener = writer.listener()
    listener.on_plan([check("trains")])
    listener.on_start(check("trains"))
    listener.on_progress(Progress("trains", 3, 10, {"loss": 0.5}))
    cause = Cause(rationale="It is off.", diagnosis="uphill")
    failed = CheckResult(name="trains", description="Trains.", outcome="failed", points=1, seconds=2.5, cause=cause)
    listener.on_finish(failed)
    ending = Ending(problem="tiny/descent", rung="laptop", exit_code=1, entry=4)
    writer.write(Event(event="end", ending=ending))
    writer.close()
    assert told(reader.read()) == [
        {"event": "begin", "seconds": 900.0},
        {"event": "plan", "checks": ("trains",)},
        {"event": "start", "check": "trains"},
        {"event": "progress", "check": "trains", "total": 10, "points": ((3, {"loss": 0.5}),)},
        {"event": "finish", "check": "trains", "outcome": "failed", "seconds": 2.5, "diagnosis": "uphill"},
        {"event": "end", "ending": {"problem": "tiny/descent", "rung": "laptop", "exit_code": 1, "entry": 4}},
    ]
    assert told(reader.read()) == []


def test_thousands_of_steps_at_once_are_a_few_points(path: Path, reader: EventReader, clock: Clock) -> None:
    """As after an interruption, when what was done before is read again."""
    writer = EventWriter(path, 900.0)
    for step in range(1, 3001):
        writer.listener().on_progress(Progress("trains", step, 5000, {"loss": 1.0}))
    clock.now += 1
    writer.flush()
    points = [point for event in reader.read() for point in event.points or ()]
    steps = [step for step, _ in points]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, 3000)
    assert 5 < len(steps) <= 13
    writer.close()


def test_the_last_step_is_told_though_no_other_follows(path: Path, reader: EventReader, clock: Clock) -> None:
    writer = EventWriter(path, 900.0)
    for step in (1, 2):
        writer.listener().on_progress(Progress("trains", step, None, {}))
    writer.flush()
    assert [event.points for event in reader.read() if event.points] == [((1, {}),)]
    clock.now += 0.6
    writer.flush()
    assert [event.points for event in reader.read()] == [((2, {}),)]
    writer.close()


def test_a_day_of_training_is_a_file_of_a_few_megabytes(path: Path, clock: Clock) -> None:
    writer = EventWriter(path, 86400.0)
    listener = writer.listener()
    for second in range(86400):
        clock.now += 1
        listener.on_progress(Progress("trains", second, 86400, {"loss": 0.123456789, "val_loss": 2.0}))
    writer.close()
    assert 200_000 < path.stat().st_size < 8_000_000


def test_a_reader_goes_on_with_the_next_sitting(path: Path, reader: EventReader) -> None:
    first = EventWriter(path, 900.0)
    first.listener().on_start(check("trains"))
    assert [event.event for event in reader.read()] == ["begin", "start"]
    first.listener().on_start(check("second"))
    first.close()
    second = EventWriter(path, 600.0)
    assert [(event.event, event.seconds) for event in reader.read()] == [("start", None), ("begin", 600.0)]
    path.unlink()
    second.listener().on_start(check("trains"))
    assert [event.event for event in reader.read()] == ["start"]
    second.close()


def test_lines_that_are_none_of_ours_are_passed_over(path: Path, reader: EventReader) -> None:
    writer = EventWriter(path, 900.0)
    with open(path, "ab") as file:
        file.write(b'\n{\n[]\n{"event": "other"}\n\xff\n{"event": "start", "check": 3}\n{"event": "sta')
    assert [event.event for event in reader.read()] == ["begin"]
    with open(path, "ab") as file:
        file.write(b'rt", "check": "trains"}\n')
    assert [event.check for event in reader.read()] == ["trains"]
    writer.close()


def test_no_file_is_no_event_and_no_room_is_no_fault(tmp_path: Path, reader: EventReader) -> None:
    assert list(reader.read()) == []
    writer = EventWriter(tmp_path / "missing" / "events.jsonl", 900.0)
    writer.listener().on_start(check("trains"))
    writer.close()
