"""The GPU rung: what is raced against what, and what it must show. On the stand-in "cpu" the same code runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor, Tolerance, expect, expect_close
from graders.kit import race_record
from graders.kit.attention_oracle import rows_of_forward
from graders.kit.intervals import speed_up

# Products of float32 are exact to 2^-24 unless a GPU is told that TF32 will do, which is wrong by 1e-3; exp is an
# approximation there, right to a few units in the last place.
TOLERANCES = {
    "float32": Tolerance(relative=1e-4),
    "float16": Tolerance(relative=2e-3),
    "bfloat16": Tolerance(relative=2e-3 + 2.0**-8),
}
# Twice the length may take 2.2 times the memory: a little is rounded up to whole blocks.
MEMORY_GROWTH = 2.2
# A fused kernel has been reported up to 10 times faster than unfused operators, forward. Beyond this it did not attend.
IMPLAUSIBLE = 60.0
HELP = (
    "Give tl.dot float16 operands, blocks of 64 or 128 queries and 32 or 64 keys, num_warps 4 or 8, num_stages 2 to 4; "
    "stop at the diagonal; keep masks out of the blocks that need none."
)


@dataclass(frozen=True)
class Plan:
    """Sizes of a measurement."""

    device: str
    lengths: tuple[int, ...]
    tokens: int  # positions in all: the longer the sequences, the fewer
    heads: int
    size: int
    tutorial: tuple[int, int, int, int]  # the setting of the published throughput
    repetitions: int
    bar_from: int  # faster than naive from this length on


# 30 calls give a median that is known to within the 10th and the 21st of them, 19 times of 20. At 8192 the naive scores
# of 2 x 8 heads take 2 GB, three times, which leaves room on a card of 12 GB.
ON_GPU = Plan("cuda", (512, 1024, 2048, 4096, 8192), 16384, 8, 64, (4, 32, 1024, 64), repetitions=30, bar_from=2048)
CASES = (
    ((2, 3, 1000, 64), True, "float16"),
    ((1, 2, 777, 128), False, "float16"),
    ((1, 2, 513, 64), True, "bfloat16"),
    ((2, 2, 300, 32), True, "float32"),
    ((1, 1, 129, 16), False, "float32"),
    ((1, 2, 1, 64), True, "float16"),
)


def match(submission: Submission, device: str, seed: int) -> None:
    """Compare o on the device with float64, for all types and sizes."""
    for shape, causal, dtype in CASES:
        told = submission.probe("attend_on_device", device, list(shape), causal, dtype, seed, timeout_seconds=120.0)
        what = "o on the device for B={}, H={}, T={}, D={}".format(*shape) + f", {dtype}"
        _expect_sample_right(told, causal, dtype, what)


def race_lengths(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Race against naive attention at every length; the answers are looked at; returns the curve."""
    curve = {}
    for length in plan.lengths:
        shape = [max(1, plan.tokens // length), plan.heads, length, plan.size]
        shown = [0, 1, 2 * plan.repetitions, 2 * plan.repetitions + 1]
        told = submission.probe(
            "attention_race", plan.device, shape, plan.repetitions, shown, seed, timeout_seconds=300.0
        )
        record = race_record.read(told, ("yours", "naive"))
        looked = [sample for sample in record.looked_at["yours"] if sample is not None]
        expect(len(looked) >= 1, "no answer of the race could be looked at", diagnosis="bad-answer")
        for sample in looked:
            _expect_sample_right(sample, True, "float16", f"o at T = {length}, while it was timed")
        ratio = speed_up(record.seconds["naive"], record.seconds["yours"])
        curve[f"speed_up_{length}"] = ratio.median
        curve[f"milliseconds_{length}"] = 1e3 * record.median("yours")
        words = f"it is {ratio.median:.0f} times as fast as naive attention at T = {length}: it did not do the work"
        expect(ratio.median <= IMPLAUSIBLE, words, expected=f"at most {IMPLAUSIBLE:.0f} times")
        if length >= plan.bar_from:
            words = f"it is not faster than naive attention at T = {length}"
            expect(ratio.low > 1.0, words, expected="more than 1 times as fast", actual=f"{ratio}", help=HELP)
    return curve


def measure_throughput(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Operations per second in the tutorial's setting: half of 4·N²·D for each head, since half of the scores exist."""
    told = submission.probe(
        "throughput_race", plan.device, list(plan.tutorial), plan.repetitions, seed, timeout_seconds=300.0
    )
    record = race_record.read(told, ("yours",))
    batch, heads, length, size = plan.tutorial
    return {"triton_causal_forward_1k": 2.0 * length * length * size * batch * heads / record.median("yours") / 1e12}


def compare_memory(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Compare peak memory at the two longest lengths, for one batch item."""
    peaks = {}
    for length in plan.lengths[-2:]:
        shape = [1, plan.heads, length, plan.size]
        peaks[length] = _bytes(submission.probe("memory_on_device", plan.device, shape, seed, timeout_seconds=120.0))
    short, long = plan.lengths[-2:]
    growth = peaks[long]["yours"] / max(1, peaks[short]["yours"])
    allowed = MEMORY_GROWTH * long / short / 2
    expect(
        growth <= allowed,
        "memory grows faster than the sequence",
        expected=f"at most {allowed:.2g} times as much at T = {long} as at T = {short}",
        actual=f"{growth:.3g} times: {peaks[short]['yours']:,} bytes, then {peaks[long]['yours']:,}",
        diagnosis="scores-in-memory",
    )
    return {f"peak_megabytes_{name}_{length}": peak[name] / 1e6 for length, peak in peaks.items() for name in peak}


# ---- the worker's word -----------------------------------------------------------------------------------------------


def _bytes(told: Any) -> Mapping[str, int]:
    names = ("yours", "naive")
    readable = isinstance(told, dict) and all(type(told.get(name)) is int and told[name] >= 0 for name in names)
    expect(readable, "the memory cannot be read", diagnosis="bad-answer")
    return {name: told[name] for name in names}


def _expect_sample_right(told: Any, causal: bool, dtype: str, what: str) -> None:
    """Compare the sampled rows of o with float64."""
    try:
        heads = [([int(row) for row in rows], q, o, k, v) for rows, q, o, k, v in told]
        arrays = [np.asarray(tensor.array, dtype=np.float64) for _, *tensors in heads for tensor in tensors]
    except (TypeError, ValueError, AttributeError):
        raise CheckFailed(f"{what} cannot be read: is it a tensor?", diagnosis="wrong-type") from None
    expect(len(heads) > 0 and all(array.ndim == 2 for array in arrays), f"{what} has the wrong shape")
    for rows, q, o, k, v in heads:
        expect(isinstance(o, Tensor), f"{what} is not a tensor", diagnosis="wrong-type")
        right = rows_of_forward(q.array, k.array, v.array, rows, causal)
        expect_close(o, right, tolerance=TOLERANCES[dtype], what=what, dtype=dtype)
