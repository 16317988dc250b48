"""The timing kit on a clock that the test sets: who is timed when, and what the ratio says."""

from __future__ import annotations

import pytest

from graders.kit import timing
from graders.kit.intervals import speed_up
from graders.kit.timing import Times


class Machine:
    """A machine whose clock moves only when it works, and which may slow down as it goes."""

    def __init__(self, slowdown: float = 1.0) -> None:
        self.now = 0.0
        self.pace = 1.0
        self.slowdown = slowdown
        self.log: list[tuple[str, int]] = []

    def work(self, name: str, seconds: float, turn: int) -> None:
        self.log.append((name, turn))
        self.now += seconds * self.pace
        self.pace *= self.slowdown

    def clock(self) -> float:
        return self.now


def race(machine: Machine, first: float, second: float, rounds: int) -> Times:
    return timing.in_turns(
        lambda turn: machine.work("first", first, turn),
        lambda turn: machine.work("second", second, turn),
        rounds=rounds,
        clock=machine.clock,
    )


def test_both_take_turns_and_the_first_round_does_not_count() -> None:
    machine = Machine()
    times = race(machine, 3.0, 1.0, rounds=4)
    assert times.first == (3.0,) * 4
    assert times.second == (1.0,) * 4
    assert [turn for _, turn in machine.log] == [-1, -1, 0, 0, 1, 1, 2, 2, 3, 3]
    leaders = [name for name, _ in machine.log][::2]
    assert leaders == ["first", "second", "first", "second", "first"]
    assert sorted(name for name, turn in machine.log if turn == 2) == ["first", "second"]


def test_a_machine_that_slows_down_slows_both() -> None:
    times = race(Machine(slowdown=1.03), 3.0, 1.0, rounds=9)
    assert times.first[-1] > 1.5 * times.first[0]
    found = speed_up(times.first, times.second)
    assert found.low <= 3.0 <= found.high
    assert found.median == pytest.approx(3.0, rel=0.05)


def test_one_disturbed_round_does_not_decide() -> None:
    assert speed_up((2.0, 2.0, 90.0, 2.0, 2.0, 2.0, 2.0), (1.0,) * 7).median == 2.0


def test_nothing_measured_is_a_fault() -> None:
    with pytest.raises(ValueError, match="one round"):
        race(Machine(), 1.0, 1.0, rounds=0)
