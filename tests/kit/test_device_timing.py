"""The race on the stand-in, with a clock that the tests wind: what is timed, what is not, and what is told."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest

from graders.kit import device_timing
from graders.kit.device_peaks import copy_race, product_race
from graders.kit.device_timing import Clock, disagreement, race
from graders.kit.intervals import interval


class Wound:
    """A clock that stands still until a function says how long it took."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def numbered(number: int) -> Sequence[Any]:
    import torch

    return (torch.full((4,), float(number)),)


def test_each_call_has_inputs_of_its_own_and_only_the_call_is_timed() -> None:
    time, seen = Wound(), []

    def make_inputs(number: int) -> Sequence[Any]:
        time.at += 100.0
        return numbered(number)

    def slow(x: Any) -> Any:
        seen.append(float(x[0]))
        time.at += 3.0
        return x + 1

    def fast(x: Any) -> Any:
        seen.append(float(x[0]))
        time.at += 1.0
        return x + 1

    def look(inputs: Sequence[Any], output: Any) -> Any:
        time.at += 50.0
        return float(output[0] - inputs[0][0])

    clock = Clock("cpu", now=time)
    timings = race({"slow": slow, "fast": fast}, make_inputs, clock=clock, repetitions=4, warm_ups=2, look=look)
    assert timings.seconds == {"slow": [3.0] * 4, "fast": [1.0] * 4}
    assert timings.looked_at == {"slow": [1.0] * 6, "fast": [1.0] * 6}
    assert sorted(seen) == [float(number) for number in range(12)]  # none twice
    assert timings.notes == []
    assert timings.as_wire()["seconds"] == timings.seconds


def test_functions_take_turns_in_an_order_that_changes() -> None:
    order: list[str] = []
    functions = {name: (lambda x, name=name: order.append(name)) for name in "abc"}
    race(functions, numbered, clock=Clock("cpu", now=Wound()), repetitions=3, warm_ups=0)
    assert ["".join(order[start : start + 3]) for start in (0, 3, 6)] == ["abc", "bca", "cab"]


def test_changed_inputs_are_told_once() -> None:
    timings = race({"f": lambda x: x.mul_(2)}, numbered, clock=Clock("cpu", now=Wound()), repetitions=5, warm_ups=0)
    assert timings.notes == ["f changed its inputs"]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "int8", "uint8"])
def test_a_checksum_sees_every_bit_of_a_contiguous_tensor(dtype: str) -> None:
    import torch

    x = torch.zeros(3, 5, dtype=getattr(torch, dtype))
    before = device_timing.checksum(x)
    x[2, 4] = 1
    assert device_timing.checksum(x) != before
    assert device_timing.checksum(x[:, ::2]) is not None
    assert device_timing.checksum("no tensor") is device_timing.checksum(torch.zeros(0)) is None


def test_a_submission_that_changes_the_clocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    wound = Wound()
    clock = Clock("cpu", now=wound)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)

    def function(x: Any) -> Any:
        wound.at += 2.0
        return x

    assert race({"f": function}, numbered, clock=clock, repetitions=1).seconds == {"f": [2.0]}


def test_work_on_another_stream_is_told() -> None:
    assert disagreement(seconds=1e-3, by_the_host=1.1e-3, left_over=1e-5) is None
    assert "another stream" in str(disagreement(seconds=1e-6, by_the_host=1e-4, left_over=5e-3))
    assert disagreement(seconds=1.0, by_the_host=1.0, left_over=0.05) is None
    assert "disagree" in str(disagreement(seconds=5e-3, by_the_host=1e-3, left_over=0.0))
    assert "disagree" in str(disagreement(seconds=math.nan, by_the_host=1e-3, left_over=0.0))
    assert "disagree" in str(disagreement(seconds=-1e-3, by_the_host=1e-3, left_over=0.0))


def test_notes_of_the_clock_reach_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock("cpu", now=Wound())
    monkeypatch.setattr(clock, "time", lambda function, inputs: device_timing.Timed(0, 1.0, "odd"))
    assert race({"f": print}, numbered, clock=clock, repetitions=2).notes == ["f: odd"]


def test_peaks_run_on_the_stand_in() -> None:
    ticks = itertools.count()
    clock = Clock("cpu", now=lambda: float(next(ticks)))
    copied = copy_race(clock, size_bytes=1 << 10, repetitions=3)
    assert copied.seconds == {"copy": [1.0, 1.0, 1.0]}
    assert copied.notes == []
    multiplied = product_race(clock, size=8, dtype="float32", repetitions=2)
    assert multiplied.seconds == {"product": [1.0, 1.0]}
    assert "stand-in" in multiplied.device


@pytest.mark.gpu
def test_a_known_copy_on_a_device() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    timings = copy_race(Clock("cuda"), size_bytes=1 << 28, repetitions=11)
    rate = 2 * (1 << 28) / interval(timings.seconds["copy"]).median
    assert timings.notes == []
    assert 2e10 < rate < 2e13
