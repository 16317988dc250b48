"""The GPU rung: what is raced against what, and how fast is fast enough. On the stand-in "cpu" the same code runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor, Tolerance, expect, expect_close
from graders.kit.intervals import interval, speed_up

from . import movement, oracle

# What the problem asks for, from its targets.
SOFTMAX_SPEED_UP = 1.5
BANDWIDTH_FRACTION = 0.85
MATMUL_FRACTION = 0.60
STATEMENT_DISTANCE = 0.20
# A kernel that beats a plain copy or the library by more than this did not do the work, or was not timed. Honest ones
# have been reported up to a tenth faster than either.
IMPLAUSIBLE = 1.5
# On a GPU sums run in another order and exp is an approximation of a few units in the last place.
SOFTMAX_TOLERANCE = Tolerance(relative=1e-4)
# Half a unit in the last place of float16 is 4.9e-4 of a value.
MATMUL_TOLERANCE = Tolerance(relative=2e-3)

HELP_SOFTMAX = (
    "One row per program, with more warps for longer rows (num_warps = 8 or 16), and exactly 2·M·N elements moved: "
    "then there is little left to wait for but memory."
)
HELP_MATMUL = (
    "Tiles of 128 by 128 or 128 by 256 with BK = 32 or 64, num_warps 4 or 8, num_stages 3 or 4, float16 straight into "
    "tl.dot, programs grouped so that neighbours share tiles in the L2 cache; let triton.autotune choose among them."
)
HELP_TRUST = (
    "Work on the stream that you are called on, finish there, change no argument, and compute every answer from the "
    "arguments of that very call."
)


@dataclass(frozen=True)
class Plan:
    """Sizes of a measurement."""

    device: str
    softmax: tuple[int, int]
    matmul: tuple[int, int, int]
    copy_bytes: int
    peak_size: int
    repetitions: int


# 30 calls give a median that is known to within the 10th and the 21st of them, 19 times of 20. Softmax reads and writes
# 256 MiB each, more than any L2 cache holds; 4096 is the size of the published figures.
ON_GPU = Plan("cuda", (8192, 8192), (4096, 4096, 4096), copy_bytes=2**30, peak_size=8192, repetitions=30)


@dataclass(frozen=True)
class Race:
    """Seconds of each call by name; all answers were looked at, and are right."""

    device: str
    seconds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        return interval(self.seconds[name]).median


@dataclass(frozen=True)
class Peaks:
    """What the device does at best, in bytes and in operations per second."""

    bandwidth: float
    flops: float


def race_softmax(submission: Submission, plan: Plan) -> Race:
    """Time softmax beside the unfused one, on numbers that no call has seen before."""
    size, count = list(plan.softmax), plan.repetitions
    answer = submission.probe("softmax_race", plan.device, size, "float32", count, timeout_seconds=500.0)
    race = _read(answer, ("yours", "unfused"), "softmax")
    for given, found in _looked_at(answer, "yours", 2):
        right = oracle.softmax(given.array)
        expect_close(found, right, tolerance=SOFTMAX_TOLERANCE, what="rows of y", dtype="float32")
    return race


def race_matmul(submission: Submission, plan: Plan) -> Race:
    """Time matmul beside the library's."""
    size, count = list(plan.matmul), plan.repetitions
    answer = submission.probe("matmul_race", plan.device, size, "float16", count, timeout_seconds=500.0)
    race = _read(answer, ("yours", "library"), "matmul")
    for a, b, found in _looked_at(answer, "yours", 3):
        right = oracle.matmul(a.array, b.array)
        expect_close(found, right, tolerance=MATMUL_TOLERANCE, what="elements of c", dtype="float16")
    return race


def find_peaks(submission: Submission, plan: Plan) -> Peaks:
    """Measure the copy bandwidth and the library's best rate."""
    answer = submission.probe(
        "peaks", plan.device, plan.copy_bytes, plan.peak_size, "float16", plan.repetitions, timeout_seconds=500.0
    )
    expect(isinstance(answer, dict), "the measured peaks cannot be read", diagnosis="bad-answer")
    _expect_no_notes(answer)
    copy, product = (interval(_times(answer.get(name))).median for name in ("copy", "product"))
    return Peaks(bandwidth=2.0 * plan.copy_bytes / copy, flops=2.0 * plan.peak_size**3 / product)


# ---- verdicts --------------------------------------------------------------------------------------------------------


def judge_softmax(race: Race, peaks: Peaks, plan: Plan) -> dict[str, float]:
    """1.5 times as fast as unfused torch, and 85 % of what a copy reaches."""
    faster = speed_up(race.seconds["unfused"], race.seconds["yours"])
    rows, columns = plan.softmax
    bandwidth = oracle.softmax_cost(rows, columns, 4)["bytes_moved"] / race.median("yours")
    fraction = bandwidth / peaks.bandwidth
    _expect_plausible("softmax", fraction, "a copy")
    expect(
        faster.median >= SOFTMAX_SPEED_UP,
        "softmax is not fast enough beside five unfused torch operations",
        expected=f"{SOFTMAX_SPEED_UP} times as fast",
        actual=f"{faster} times as fast",
        help=HELP_SOFTMAX,
    )
    expect(
        fraction >= BANDWIDTH_FRACTION,
        "softmax does not move its bytes as fast as it could",
        expected=f"{BANDWIDTH_FRACTION:.0%} of the {peaks.bandwidth / 1e9:.0f} GB/s of a copy",
        actual=f"{fraction:.0%}, {bandwidth / 1e9:.0f} GB/s",
        help=HELP_SOFTMAX,
    )
    return {
        "softmax_speed_up": faster.median,
        "softmax_bandwidth_fraction": fraction,
        "copy_gigabytes_per_second": peaks.bandwidth / 1e9,
    }


def judge_matmul(race: Race, plan: Plan) -> dict[str, float]:
    """60 % of the library's rate."""
    rate = speed_up(race.seconds["library"], race.seconds["yours"])
    _expect_plausible("matmul", rate.median, "the library")
    expect(
        rate.median >= MATMUL_FRACTION,
        "matmul does not reach the rate that was asked for",
        expected=f"{MATMUL_FRACTION:.0%} of the library's",
        actual=f"{rate.median:.0%} ({rate.low:.0%} to {rate.high:.0%})",
        help=HELP_MATMUL,
    )
    operations = oracle.matmul_cost(*plan.matmul, itemsize=2)["flops"]
    return {
        "matmul_triton_4096": operations / race.median("yours") / 1e12,
        "matmul_library_4096": operations / race.median("library") / 1e12,
        "matmul_fraction": rate.median,
    }


def judge_statement(submission: Submission, name: str, race: Race, again: Race, peaks: Peaks, plan: Plan) -> float:
    """Ask for the statement about one race, and compare it with another one; returns the fraction of the roof."""
    if name == "softmax":
        arguments, itemsize, bound = plan.softmax, 4, "memory"
        cost = oracle.softmax_cost(*plan.softmax, itemsize=4)
        measured = cost["bytes_moved"] / again.median("yours") / peaks.bandwidth
    else:
        arguments, itemsize, bound = plan.matmul, 2, "compute"
        cost = oracle.matmul_cost(*plan.matmul, itemsize=2)
        measured = cost["flops"] / again.median("yours") / peaks.flops
    mine = submission.call(f"{name}_cost", *arguments, itemsize)
    readable = isinstance(mine, dict) and {"flops", "bytes_moved"} <= set(mine)
    expect(readable, f"{name}_cost returned no cost", diagnosis="wrong-type")
    told = submission.call(
        "roofline", mine["flops"], mine["bytes_moved"], race.median("yours"), peaks.flops, peaks.bandwidth
    )
    readable = isinstance(told, dict) and {"fraction_of_roof", "bound"} <= set(told)
    expect(readable, "roofline returned no statement", diagnosis="wrong-type")
    fraction = told["fraction_of_roof"]
    near = isinstance(fraction, int | float) and abs(fraction / measured - 1.0) <= STATEMENT_DISTANCE
    expect(
        near and told["bound"] == bound,
        f"the statement about {name} is not what was measured",
        expected=f"{bound}-bound, at {measured:.0%} of the roof, give or take a fifth",
        actual=f"{str(told['bound'])[:40]}-bound, at {str(fraction)[:40]}",
    )
    return float(fraction)


def _expect_plausible(name: str, fraction: float, beside: str) -> None:
    expect(
        fraction <= IMPLAUSIBLE,
        f"{name} is {fraction:.1f} times as fast as {beside}: it did not do the work, or not while it was timed",
        expected=f"at most {IMPLAUSIBLE} times as fast",
        help=HELP_TRUST,
    )


# ---- the worker's word -----------------------------------------------------------------------------------------------


def _read(answer: Any, names: Sequence[str], what: str) -> Race:
    try:
        race = Race(str(answer["device"])[:100], {name: _times(answer["seconds"][name]) for name in names})
        operators = tuple(str(name) for name in answer["operators"])
    except (KeyError, TypeError, ValueError):
        raise CheckFailed(f"the times of {what} cannot be read", diagnosis="bad-answer") from None
    _expect_no_notes(answer)
    movement.expect_kernels_alone(operators, what)
    return race


def _times(value: Any) -> list[float]:
    times = [float(item) for item in value] if isinstance(value, list) else []
    if not times or not all(math.isfinite(item) and item > 0.0 for item in times):
        raise CheckFailed("the measured times are no times", diagnosis="bad-answer")
    return times


def _expect_no_notes(answer: Mapping[str, Any]) -> None:
    notes = answer.get("notes")
    told = "; ".join(map(str, notes))[:500] if isinstance(notes, list) else "unreadable"
    expect(notes == [], "the measurement cannot be trusted", actual=told, help=HELP_TRUST)


def _looked_at(answer: Mapping[str, Any], name: str, parts: int) -> list[list[Tensor]]:
    """The sampled inputs and outputs of every call, warm-ups included; no two calls had the same inputs."""
    looked = answer.get("looked_at")
    calls = looked.get(name) if isinstance(looked, dict) else None
    readable = isinstance(calls, list) and len(calls) > 0 and all(_is_sample(call, parts) for call in calls)
    expect(readable, "the sampled answers cannot be read: is the answer a tensor?", diagnosis="wrong-type")
    seen = {np.asarray(call[0].array).tobytes() for call in calls}
    expect(len(seen) == len(calls), "two calls had the same inputs", help=HELP_TRUST)
    return list(calls)


def _is_sample(call: Any, parts: int) -> bool:
    return (
        isinstance(call, list)
        and len(call) == parts
        and all(isinstance(part, Tensor) and part.array.ndim == 2 for part in call)
    )
