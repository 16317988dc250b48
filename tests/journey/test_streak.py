"""The streak counts days in a row, and a day that is not over breaks nothing."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest

from deepfield_cli.journey.streak import Streak, read_streak
from deepfield_cli.journey.workspace import Workspace
from tests.journey.conftest import Attempted

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("ago", "days", "today"),
    [
        ([], 0, False),
        ([0], 1, True),
        ([1], 1, False),
        ([2], 0, False),
        ([0, 0, 1, 1, 2], 3, True),
        ([1, 2, 3], 3, False),
        ([0, 2, 3], 1, True),
        ([-2, 0, 1], 2, True),
    ],
)
def test_counting(workspace: Workspace, attempted: Attempted, ago: list[int], days: int, today: bool) -> None:
    for each in ago:  # in whatever order the clock went
        attempted("llm/bpe", (TODAY - timedelta(days=each)).isoformat(), solved=False)
    with workspace.ledger() as ledger:
        assert read_streak(ledger, TODAY) == Streak(days, today)


@pytest.mark.parametrize(("zone", "days"), [("UTC", 2), ("Asia/Kolkata", 1), ("America/Los_Angeles", 1)])
def test_a_day_is_that_of_the_learners_own_clock(
    workspace: Workspace, attempted: Attempted, monkeypatch: pytest.MonkeyPatch, zone: str, days: int
) -> None:
    attempted("llm/bpe", "2026-11-22T22:40+00:00", solved=False)
    attempted("llm/bpe", "2026-11-23T01:10+00:00", solved=False)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with workspace.ledger() as ledger:
            assert read_streak(ledger, TODAY).days == days
    finally:
        monkeypatch.undo()
        time.tzset()


def test_it_is_read_from_what_was_done(workspace: Workspace, attempted: Attempted) -> None:
    for day in ("2026-11-20", "2026-11-21T09:00", "2026-11-21T21:00", "2026-11-22", "2026-11-23"):
        attempted("llm/bpe", day, solved=False)
    with workspace.ledger() as ledger:
        ledger.append("start", {}, problem="llm/bpe")  # laying out files is no work
    with workspace.record() as ledger:
        assert read_streak(ledger, TODAY) == Streak(4, True)
        assert read_streak(ledger, date(2026, 11, 25)) == Streak(0, False)
