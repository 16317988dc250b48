"""The GPU rung: what is raced against what, and what it must show. On the stand-in "cpu" the same code runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor, Tolerance, expect, expect_close
from graders.kit import race_record
from graders.kit.attention_oracle import Heads, backward, forward, rows_of_forward
from graders.kit.intervals import speed_up

# Products of float32 are exact to 2^-24 unless a GPU is told that TF32 will do, which is wrong by 1e-3; exp is an
# approximation there, right to a few units in the last place. Half precision as in the core rung, and a little more,
# since o and lse are the submission's own.
FORWARD = {
    "float32": Tolerance(relative=1e-4),
    "float16": Tolerance(relative=2e-3),
    "bfloat16": Tolerance(relative=2e-3 + 2.0**-8),
}
BACKWARD = {
    "float32": Tolerance(relative=2e-4, absolute=1e-5),
    "float16": Tolerance(relative=6e-3, absolute=1e-3),
    "bfloat16": Tolerance(relative=4e-2, absolute=1e-2),
}
LSE = Tolerance(relative=1e-4, absolute=1e-4)
# Sums over all positions, of which rounding errors take away the last digits.
SUMS = 0.02
# Three times the tokens may take 3.3 times the memory: a little is rounded up to whole blocks.
MEMORY_GROWTH = 1.1
# Fused kernels have been reported up to 10 times faster than unfused operators. Beyond this it did not attend.
IMPLAUSIBLE = 60.0
HELP = (
    "Give tl.dot float16 operands, blocks of 64 or 128 queries and 32 or 64 keys, num_warps 4 or 8, num_stages 2 to 4; "
    "stop at the diagonal; keep masks out of the blocks that need none; give the backward pass blocks of its own."
)


@dataclass(frozen=True)
class Plan:
    """Sizes of a measurement."""

    device: str
    lengths: tuple[int, ...]
    tokens: int  # positions in all: the longer the sequences, the fewer
    heads: int
    size: int
    most_scores: int  # the naive rival holds no more, so that it fits; the longest sequences get fewer heads
    published: tuple[int, int, int, int]  # the setting of the published runtimes
    repetitions: int
    bar_from: int  # faster than naive from this length on

    def shape(self, length: int) -> list[int]:
        """B, H, T, D of the race at a length."""
        batch, most = max(1, self.tokens // length), max(1, self.most_scores // length**2)
        return [batch, min(self.heads, most), length, self.size]


# 30 calls give a median that is known to within the 10th and the 21st of them, 19 times of 20. 2^30 scores in float16
# are 2 GB, of which the naive backward pass holds five: about 11 GB.
ON_GPU = Plan(
    device="cuda",
    lengths=(512, 1024, 2048, 4096, 8192, 16384),
    tokens=16384,
    heads=8,
    size=64,
    most_scores=2**30,
    published=(64, 16, 1024, 64),
    repetitions=30,
    bar_from=2048,
)
CASES = (
    ((2, 3, 1000, 64), True, "float16"),
    ((1, 2, 777, 128), False, "float16"),
    ((1, 2, 513, 64), True, "bfloat16"),
    ((2, 2, 300, 32), True, "float32"),
    ((1, 1, 200, 128), True, "float32"),
    ((1, 1, 129, 16), False, "float32"),
    ((1, 2, 1, 64), True, "float16"),
)


def match(submission: Submission, device: str, seed: int) -> None:
    """Compare o, lse and the gradients on the device with float64, for all types and sizes."""
    for shape, causal, dtype in CASES:
        told = submission.probe("pass_on_device", device, list(shape), causal, dtype, seed, timeout_seconds=120.0)
        what = "on the device for B={}, H={}, T={}, D={}".format(*shape) + f", {dtype}"
        for tensors in _heads(told, what, 9):
            _expect_pass_right(tensors, causal, dtype, what)


def _expect_pass_right(tensors: list[Tensor], causal: bool, dtype: str, what: str) -> None:
    q, k, v, do = (np.asarray(tensor.array, dtype=np.float64) for tensor in tensors[:4])
    heads = Heads(q, k, v, causal)
    answer, right = forward(heads), backward(heads, do)
    o, lse, dq, dk, dv = tensors[4:]
    expect_close(o, answer.o, tolerance=FORWARD[dtype], what=f"o {what}", dtype=dtype)
    expect_close(lse, answer.lse, tolerance=LSE, what=f"lse {what}", dtype="float32")
    for name, found in (("dv", dv), ("dk", dk), ("dq", dq)):
        expect_close(found, right[name], tolerance=BACKWARD[dtype], what=f"{name} {what}", dtype=dtype)


# ---- races -----------------------------------------------------------------------------------------------------------


def race_lengths(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Race against naive attention at every length, forward and both; the answers are looked at; returns the curves."""
    curve: dict[str, float] = {}
    shapes = [plan.shape(length) for length in plan.lengths]
    fused = fused_seconds(plan, shapes)
    best = 0.0
    for shape, alone in zip(shapes, fused, strict=True):
        for passes in ("forward", "both"):
            record = _race(submission, plan, shape, passes == "both", seed)
            ratio = speed_up(record.seconds["naive"], record.seconds["yours"])
            median = record.median("yours")
            curve[f"speed_up_{passes}_{shape[2]}"] = ratio.median
            curve[f"milliseconds_{passes}_{shape[2]}"] = 1e3 * median
            if alone:
                curve[f"fraction_of_fused_{passes}_{shape[2]}"] = alone[passes] / median
            _expect_faster(str(ratio), ratio.median, ratio.low, shape[2], passes, plan)
            best = max(best, operations(shape) / median / 1e12 if passes == "forward" else 0.0)
    return {**curve, "fa2_forward_peak": best}


def operations(shape: list[int]) -> float:
    """Of a causal forward pass: half of 4·N²·D for each head, since half of the scores exist."""
    batch, heads, length, size = shape
    return 2.0 * length * length * size * batch * heads


def _expect_faster(shown: str, ratio: float, low: float, length: int, passes: str, plan: Plan) -> None:
    name = {"forward": "the forward pass", "both": "forward and backward together"}[passes]
    words = f"{name}: {ratio:.0f} times as fast as naive attention at T = {length}, so it did not do the work"
    expect(ratio <= IMPLAUSIBLE, words, expected=f"at most {IMPLAUSIBLE:.0f} times")
    if length >= plan.bar_from:
        words = f"{name}: not faster than naive attention at T = {length}"
        expect(low > 1.0, words, expected="more than 1 times as fast", actual=shown, help=HELP)


def published_runtimes(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Both passes in the setting of the published figures, in milliseconds."""
    record = _race(submission, plan, list(plan.published), True, seed)
    return {"runtime_standard": 1e3 * record.median("naive"), "runtime_flash": 1e3 * record.median("yours")}


def _race(submission: Submission, plan: Plan, shape: list[int], both: bool, seed: int) -> race_record.RaceRecord:
    shown = [0, 1, 2 * plan.repetitions, 2 * plan.repetitions + 1]
    told = submission.probe("pass_race", plan.device, shape, both, plan.repetitions, shown, seed, timeout_seconds=300.0)
    record = race_record.read(told, ("yours", "naive"))
    looked = [sample for sample in record.looked_at["yours"] if sample is not None]
    expect(len(looked) >= 1, "no answer of the race could be looked at", diagnosis="bad-answer")
    for sample in looked:
        _expect_sample_right(sample, f"at T = {shape[2]}, while it was timed")
    return record


def fused_seconds(plan: Plan, shapes: list[list[int]]) -> list[dict[str, float]]:
    """How long torch's own fused attention takes, in a process without the submission; empty where it cannot be had."""
    wanted = json.dumps({"device": plan.device, "shapes": shapes, "repetitions": plan.repetitions})
    script = str(Path(__file__).with_name("fused.py"))
    try:
        done = subprocess.run(
            [sys.executable, "-I", script, wanted], capture_output=True, text=True, timeout=300, check=True
        )
        told = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return [{} for _ in shapes]
    return [told[str(number)] for number in range(len(shapes))]


def compare_memory(submission: Submission, plan: Plan, seed: int) -> dict[str, float]:
    """Compare peak memory of both passes at two lengths, for one batch item."""
    short, long = plan.lengths[-3], plan.lengths[-2]
    peaks = {}
    for length in (short, long):
        shape = [1, *plan.shape(length)[1:]]
        peaks[length] = _bytes(submission.probe("memory_on_device", plan.device, shape, seed, timeout_seconds=120.0))
    growth = peaks[long]["yours"] / max(1, peaks[short]["yours"])
    allowed = MEMORY_GROWTH * long / short
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


def _heads(told: Any, what: str, count: int) -> list[list[Any]]:
    readable = isinstance(told, list) and len(told) > 0
    readable = readable and all(isinstance(head, list) and len(head) == count for head in told)
    readable = readable and all(isinstance(tensor, Tensor) for head in told for tensor in head)
    expect(readable, f"what was computed {what} cannot be read", diagnosis="wrong-type")
    return list(told)


def _expect_sample_right(told: Any, what: str) -> None:
    """Compare the sampled rows of o and dq with float64, and sums over the other gradients with what they must be."""
    try:
        heads = [
            ([int(row) for row in rows], k.array, v.array, [tensor.array for tensor in picked[:2]], picked[2:], sums)
            for rows, k, v, picked, sums in told
        ]
    except (TypeError, ValueError, AttributeError):
        raise CheckFailed(f"what was computed {what} cannot be read", diagnosis="wrong-type") from None
    expect(len(heads) > 0, f"nothing was computed {what}", diagnosis="bad-answer")
    for rows, k, v, (q, do), outputs, sums in heads:
        expect(len(outputs) > 0, f"there is no o {what}", diagnosis="bad-answer")
        right = rows_of_forward(q, k, v, rows, True)
        expect_close(outputs[0], right, tolerance=FORWARD["float16"], what=f"o {what}")
        if len(outputs) == 2:
            slope = rows_of_queries(q, k, v, do, rows)
            expect_close(outputs[1], slope, tolerance=BACKWARD["float16"], what=f"dq {what}")
            _expect_sums_right(sums, what)


def rows_of_queries(q: np.ndarray, k: np.ndarray, v: np.ndarray, do: np.ndarray, rows: list[int]) -> np.ndarray:
    """Some rows of dq of one causal head: q and do hold only those rows, k and v all of them."""
    q, k, v, do = (np.asarray(array, dtype=np.float64) for array in (q, k, v, do))
    scale = q.shape[-1] ** -0.5
    scores = np.where(np.arange(k.shape[0]) <= np.asarray(rows)[:, None], q @ k.T * scale, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    slope = do @ v.T
    found: np.ndarray = weights * (slope - (weights * slope).sum(-1, keepdims=True)) @ k * scale
    return found


def _expect_sums_right(sums: Any, what: str) -> None:
    """The weights of a query sum to 1, so dv and do have one sum; and no score is changed by q · t and k / t."""
    try:
        of_dv, of_do = (np.asarray(tensor.array, dtype=np.float64) for tensor in sums[:2])
        of_q, of_k = (float(number) for number in sums[2:])
    except (TypeError, ValueError, AttributeError):
        raise CheckFailed(f"the gradients {what} cannot be read", diagnosis="wrong-type") from None
    size = float(np.abs(of_do).max()) + 1.0
    off = float(np.abs(of_dv - of_do).max())
    words = f"dv {what} does not sum up to what do sums up to"
    expect(off <= SUMS * size, words, expected=f"a difference of {SUMS * size:.3g} at most", actual=f"{off:.3g}")
    allowed = SUMS * max(abs(of_q), abs(of_k), 1.0)
    words = f"the sums of q · dq and k · dk {what} differ"
    expect(abs(of_q - of_k) <= allowed, words, expected=f"{of_q:.5g}", actual=f"{of_k:.5g}")
