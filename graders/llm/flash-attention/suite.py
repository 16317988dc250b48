"""The hidden checks of llm/flash-attention: the numbers, and the bytes that were moved to get them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepfield_cli.grading import (
    Bugs,
    CheckFailed,
    Submission,
    Suite,
    Tensor,
    Tolerance,
    expect,
    expect_close,
    expect_unchanged,
)
from graders.kit import kernel_record
from graders.kit.attention_mistakes import BLOCKED, NARROW, OVERFLOWING, PLAIN, KernelMistakes
from graders.kit.attention_oracle import forward
from graders.kit.kernel_record import KernelRecord
from graders.kit.traffic_law import Law

from . import oracle, speed
from .cases import EDGES, EXAMPLE, EXAMPLE_O, Case, draw, draw_block, draw_half, draw_large, draw_long, draw_square
from .misconceptions import Addresses, Blocks
from .movement import CAUSAL_BLOCKS, LENGTHS, ROW_BYTES, SIZE, least_bytes, naive_bytes

suite = Suite("llm/flash-attention")

# Relative to the largest element. In float32 the five shipped styles stay below 1.2e-6 (140 calls with these draws);
# known mistakes are 1e-3 away or more, which tests/problems/llm_flash_attention/test_oracle.py holds them to.
TOLERANCE = Tolerance(relative=1e-5)
# float16 weights round by 2^-11 and the output by as much: the shipped styles stay below 5.3e-4. In bfloat16 both are
# eight times coarser, and what the output itself is rounded by, up to 2^-8, is nobody's mistake: it comes on top. There
# they stay below 3.6e-3, of 5.9e-3 (70 calls each).
HALF_TOLERANCES = {"float16": Tolerance(relative=2e-3), "bfloat16": Tolerance(relative=2e-3 + 2.0**-8)}
# The worked example is printed to four decimals.
EXAMPLE_TOLERANCE = Tolerance(relative=0.0, absolute=6e-5)
# Blocks of 16 queries, the smallest that a matrix product on a GPU knows, move half of what naive attention does at
# D = 16; the rest is for partial results and the like.
NAIVE_FRACTION = 0.6
CAUSAL_FRACTION = 0.6
# A kernel whose blocks divide the lengths follows the law to the byte.
LAW_TOLERANCE = 0.02
SMALLEST_BLOCK, LARGEST_BLOCK = 16, 256
# A whole measurement with the smallest blocks is 1900 steps of the interpreter, 2 to 5 ms each.
TRAFFIC_SECONDS = 60.0
LAYOUTS = (
    ("permuted", "contiguous", "strided"),
    ("contiguous", "permuted", "contiguous"),
    ("permuted", "permuted", "permuted"),
    ("strided", "strided", "strided"),
)


@dataclass(frozen=True)
class Attended:
    """What one call gave, and what it moved."""

    output: Tensor
    record: KernelRecord


def attend(submission: Submission, case: Case, *, by_default: bool = False) -> Attended:
    """Call flash_attention; o has the promised form, its values are left to the check."""
    submission.get("flash_attention", opaque=True)  # if it is missing, this says so
    causal = None if by_default else case.heads.causal
    return _seen(submission.probe("attend", *case.tensors(), causal), "o", case.shape, case.dtype)


def run_block(submission: Submission, inputs: oracle.Inputs) -> Attended:
    """Call attention_block; y has the promised form, its values are left to the check."""
    submission.get("attention_block", opaque=True)
    tensors = [Tensor(array) for array in inputs.arrays()]
    return _seen(submission.probe("block", *tensors, inputs.n_heads), "y", inputs.x.shape, "float32")


def _seen(told: Any, what: str, shape: tuple[int, ...], dtype: str) -> Attended:
    expect(isinstance(told, list) and len(told) == 2, "the probe's answer cannot be read", diagnosis="bad-answer")
    output, record = told[0], kernel_record.read(told[1])
    is_tensor = isinstance(output, Tensor) and output.kind == "torch"
    words = f"{what} is not a tensor"
    expect(is_tensor, words, expected="a torch tensor", actual=type(output).__name__, diagnosis="wrong-type")
    words = f"{what} has the wrong shape"
    same = tuple(output.shape) == tuple(shape)
    expect(same, words, expected=str(list(shape)), actual=str(list(output.shape)), diagnosis="wrong-shape")
    words = f"{what} has the wrong dtype"
    expect(output.dtype == dtype, words, expected=dtype, actual=output.dtype, diagnosis="wrong-dtype")
    loaded, stored = record.outside
    words = "a kernel reached outside of its tensors"
    actual = f"{loaded} bytes loaded and {stored} bytes stored where no tensor is"
    expect(loaded == stored == 0, words, actual=actual, diagnosis="outside-the-tensors")
    words = "Triton's interpreter was changed, so what it counts means nothing"
    expect(not record.notes, words, actual="; ".join(record.notes)[:500], diagnosis="no-kernel")
    return Attended(output, record)


def expect_right(submission: Submission, case: Case, what: str = "o", bugs: Bugs | None = None) -> None:
    """Compare o with float64, at the tolerance of the case's dtype."""
    tolerance = HALF_TOLERANCES.get(case.dtype, TOLERANCE)
    o = attend(submission, case).output
    expect_close(o, forward(case.heads).o, tolerance=tolerance, what=what, dtype=case.dtype, bugs=bugs)


BY_TORCH, WITHOUT_KERNEL = "torch-does-the-work", "block-without-kernel"

# ---- a kernel, and what it computes ----------------------------------------------------------------------------------


@suite.check(rung="core", points=1)
def shapes_and_types(submission: Submission, rng: np.random.Generator) -> None:
    """flash_attention returns a tensor of the shape and dtype of q, in float32, float16 and bfloat16."""
    for dtype in ("float32", "float16", "bfloat16"):
        attend(submission, draw(rng, (2, 3, 3, 16), True, dtype))


@suite.check(rung="core", needs=[shapes_and_types], points=4)
def forward_matches(submission: Submission, rng: np.random.Generator) -> None:
    """o agrees with a float64 reference to 1e-5 of its largest element, over several blocks, causal and not."""
    square = draw_square(rng)
    few = attend(submission, square).output
    _expect_axes_in_order(few, square)
    long = draw_long(rng)
    for causal in (True, False):
        case = draw(rng, long.shape, causal)
        what = f"o, {'causal' if causal else 'not causal'},"
        expect_right(submission, case, what, KernelMistakes(case.heads, PLAIN + BLOCKED))
    expect_close(few, forward(square.heads).o, tolerance=TOLERANCE, what="o for H = T = 12", dtype="float32")


def _expect_axes_in_order(o: Tensor, case: Case) -> None:
    """Heads and positions exchanged, and nothing else: at other sizes the same mistake reads what is not there."""
    try:
        right = forward(case.heads).o
        expect_close(o, right, tolerance=TOLERANCE, what="o for H = T = 12", dtype="float32", bugs=Addresses(case))
    except CheckFailed as failure:
        if failure.diagnosis == "head-and-position-swapped":
            raise


@suite.check(rung="core", needs=[forward_matches], points=2)
def kernel_does_the_work(submission: Submission, rng: np.random.Generator) -> None:
    """Inside flash_attention a Triton kernel reads q, k and v and writes o; torch multiplies and normalises nothing."""
    computed = []
    for length in (24, 72):
        record = attend(submission, draw(rng, (1, 1, length, SIZE), False)).record
        expect(record.launches > 0, "no Triton kernel was launched", diagnosis="no-kernel")
        work = record.work_of_torch
        words, told = "torch did the work of the kernel", "no matrix product, no softmax"
        expect(not work, words, expected=told, actual=", ".join(work), diagnosis=BY_TORCH)
        words, told = "the kernels read less than q, k and v, or wrote less than o", least_bytes(length)
        expect(
            record.loaded >= told * 3 // 4 and record.stored >= told // 4,
            words,
            expected=f"at least {told * 3 // 4} bytes read and {told // 4} written at T = {length}",
            actual=f"{record.loaded} and {record.stored}",
            diagnosis=BY_TORCH,
        )
        words = "o holds what no kernel wrote, and no copy of it either"
        expect(record.is_from_a_kernel("output"), words, diagnosis=BY_TORCH)
        computed.append(record.computing_operators)
    words = "the number of torch operators that compute something grows with the length"
    actual = f"{computed[0]} at T = 24 and {computed[1]} at T = 72"
    expect(computed[1] <= computed[0], words, actual=actual, diagnosis=BY_TORCH)


@suite.check(rung="core", needs=[shapes_and_types], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief comes out, to the four decimals printed there; causal is the default."""
    o = attend(submission, EXAMPLE, by_default=True).output
    expect_close(o, EXAMPLE_O, tolerance=EXAMPLE_TOLERANCE, what="o of the worked example", dtype="float32")


@suite.check(rung="core", needs=[forward_matches], points=2)
def edge_sizes(submission: Submission, rng: np.random.Generator) -> None:
    """One position, lengths that are no multiple of any block, heads of 16, 32, 64 and 128 channels."""
    for index, shape in enumerate(EDGES):
        what = "o for B={}, H={}, T={}, D={}".format(*shape)
        expect_right(submission, draw(rng, shape, index % 2 == 0), what)


@suite.check(rung="core", needs=[forward_matches], points=2)
def memory_layouts(submission: Submission, rng: np.random.Generator) -> None:
    """q, k and v may lie in memory in any way, each in its own."""
    for layouts in LAYOUTS:
        case = replace(draw(rng, (2, 3, 21, 16), True), layouts=layouts)
        what = "o for {} q, {} k and {} v".format(*layouts)
        expect_right(submission, case, what, Addresses(case))


@suite.check(rung="core", needs=[forward_matches], points=2)
def large_scores(submission: Submission, rng: np.random.Generator) -> None:
    """With scores up to 1e3, o is finite and right."""
    for causal in (True, False):
        case = draw_large(rng, causal)
        expect_right(submission, case, "o", KernelMistakes(case.heads, OVERFLOWING))


@suite.check(rung="core", needs=[forward_matches], points=2)
def half_precision(submission: Submission, rng: np.random.Generator) -> None:
    """float16 and bfloat16 inputs are accumulated in float32: o is right to 2e-3, beside its own rounding."""
    for dtype in HALF_TOLERANCES:
        case = draw_half(rng, dtype)
        expect_right(submission, case, f"o in {dtype}", KernelMistakes(case.heads, NARROW))
        expect_right(submission, draw(rng, (1, 2, 77, 64), True, dtype), f"o in {dtype}")


@suite.check(rung="core", needs=[kernel_does_the_work], points=2)
def no_square_buffer(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """No buffer of N×N elements is ever allocated."""
    length = 256
    records = [attend(submission, draw(rng, (1, 1, length, SIZE), causal)).record for causal in (True, False)]
    largest = max(record.largest_allocation_elements for record in records)
    expect(
        largest < length * length,
        "a buffer as large as the matrix of scores was allocated",
        expected=f"fewer than {length}×{length} elements at T = {length}",
        actual=f"{largest} elements",
        diagnosis="scores-in-memory",
    )
    return {"largest_allocation_elements": float(largest)}


# ---- the block around it ---------------------------------------------------------------------------------------------


@suite.check(rung="core", needs=[forward_matches], points=2)
def block_matches(submission: Submission, rng: np.random.Generator) -> None:
    """attention_block is the block of llm/attention: y agrees with a float64 reference to 1e-5."""
    for batch, length, heads, size in ((2, 11, 3, 16), (1, 70, 2, 32), (3, 1, 1, 16)):
        inputs = draw_block(rng, batch, length, heads, size)
        y = run_block(submission, inputs).output
        what = f"y for B={batch}, T={length}, n_heads={heads}, D={size}"
        right = oracle.block(inputs)
        expect_close(y, right, tolerance=TOLERANCE, what=what, dtype="float32", bugs=Blocks(inputs))


@suite.check(rung="core", needs=[block_matches, kernel_does_the_work], points=2)
def block_uses_the_kernel(submission: Submission, rng: np.random.Generator) -> None:
    """Inside attention_block your kernel attends: it is launched, reads q, k and v, and nothing N×N is allocated."""
    length, heads = 256, 2
    inputs = draw_block(rng, 1, length, heads, SIZE)
    seen = run_block(submission, inputs).record
    alone = attend(submission, draw(rng, (1, heads, length, SIZE), True)).record
    shared = sorted(alone.by_kernel.keys() & seen.by_kernel.keys())
    words = "attention_block launches none of the kernels of flash_attention"
    told = " or ".join(sorted(alone.by_kernel))
    expect(bool(shared), words, expected=told, actual=", ".join(seen.by_kernel), diagnosis=WITHOUT_KERNEL)
    inside, needed = (sum(record.by_kernel[name] for name in shared) for record in (seen, alone))
    words = "the kernels move less inside attention_block than flash_attention alone does"
    told = f"{needed:,} bytes"
    expect(inside >= 0.98 * needed, words, expected=told, actual=f"{inside:,} bytes", diagnosis=WITHOUT_KERNEL)
    work = [name for name in seen.work_of_torch if "softmax" in name or "attention" in name]
    expect(not work, "torch attends inside attention_block", actual=", ".join(work), diagnosis=WITHOUT_KERNEL)
    words = "a buffer as large as the matrix of scores was allocated inside attention_block"
    largest = seen.largest_allocation_elements
    expect(largest < length * length, words, actual=f"{largest} elements", diagnosis=WITHOUT_KERNEL)


@suite.check(rung="core", needs=[block_matches], points=1)
def inputs_untouched(submission: Submission, rng: np.random.Generator) -> None:
    """Neither function modifies its arguments."""
    sent = draw(rng, (1, 2, 20, 16), True).tensors()
    kept = [submission.put(tensor) for tensor in sent]
    submission.call("flash_attention", *kept, True, opaque=True)
    for name, reference, original in zip("qkv", kept, sent, strict=True):
        expect_unchanged(reference, original, what=f"{name}, an argument of flash_attention,")
    inputs = draw_block(rng, 1, 20, 2, 16)
    sent = [Tensor(array) for array in inputs.arrays()]
    kept = [submission.put(tensor) for tensor in sent]
    submission.call("attention_block", *kept, inputs.n_heads, opaque=True)
    names = ("x", "w_qkv", "b_qkv", "w_out", "b_out")
    for name, reference, original in zip(names, kept, sent, strict=True):
        expect_unchanged(reference, original, what=f"{name}, an argument of attention_block,")


# ---- what it moves ---------------------------------------------------------------------------------------------------


@suite.check(rung="core", needs=[no_square_buffer], points=4, timeout_seconds=TRAFFIC_SECONDS)
def traffic_law(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """The bytes moved grow as N²·D/B with a block B that stays, and stay below 60 % of what naive attention moves."""
    moved, law = measure_law(submission, rng)
    longest, block = LENGTHS[-1], law.queries_per_block(ROW_BYTES)
    fraction = moved[longest] / naive_bytes(longest)
    told = ", ".join(f"{moved[length]:,} at T = {length}" for length in LENGTHS)
    expect(
        block <= LARGEST_BLOCK * (1 + LAW_TOLERANCE),
        "the traffic grows no faster than the sequence: one block holds all of it",
        expected=f"bytes that grow as N², as with any block of at most {LARGEST_BLOCK} queries",
        actual=told,
        diagnosis="block-grows-with-length",
    )
    expect(
        law.error(moved) <= LAW_TOLERANCE,
        "the bytes moved follow no law a·N + b·N²",
        expected=f"{law.bytes_at(LENGTHS[1]):,.0f} bytes at T = {LENGTHS[1]}, by the other two lengths",
        actual=told,
        diagnosis="block-grows-with-length",
    )
    expect(
        block >= SMALLEST_BLOCK * (1 - LAW_TOLERANCE) and fraction <= NAIVE_FRACTION,
        "keys and values are read too often",
        expected=f"all of them once for every {SMALLEST_BLOCK} queries or more, "
        f"and at most {naive_bytes(longest) * NAIVE_FRACTION:,.0f} bytes at T = {longest}",
        actual=f"once for every {block:.3g} queries; {told}",
        diagnosis="keys-read-too-often",
    )
    return {"traffic_of_naive": fraction, "queries_per_block": block, "law_error": law.error(moved)}


def measure_law(submission: Submission, rng: np.random.Generator) -> tuple[dict[int, int], Law]:
    """The bytes by length, shortest first, and the law through them."""
    moved = {}
    for length in LENGTHS:
        moved[length] = attend(submission, draw(rng, (1, 1, length, SIZE), False)).record.moved
        expect(
            moved[length] <= naive_bytes(length),
            f"the kernels move more than naive attention at T = {length}",
            expected=f"at most {naive_bytes(length) * NAIVE_FRACTION:,.0f} bytes",
            actual=f"{moved[length]:,} bytes",
            diagnosis="keys-read-too-often",
        )
    return moved, Law.through(moved)


@suite.check(rung="core", needs=[traffic_law], points=3, timeout_seconds=TRAFFIC_SECONDS)
def causal_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """With causal=True, keys and values are read at most 60 % as much as without, at 24 blocks of queries or more."""
    _, law = measure_law(submission, rng)
    block = law.queries_per_block(ROW_BYTES)
    length = CAUSAL_BLOCKS[block > 48] * 2 ** round(math.log2(block))
    moved = attend(submission, draw(rng, (1, 1, length, SIZE), True)).record.moved
    fraction = (moved - law.linear * length) / (law.quadratic * length * length)
    expect(
        fraction <= CAUSAL_FRACTION,
        "the causal kernel reads keys that no query of its block may see",
        expected=f"at most {CAUSAL_FRACTION:.0%} of the bytes that grow as N² without a mask, at T = {length}",
        actual=f"{fraction:.1%}",
        diagnosis="causal-loop-not-bounded",
    )
    return {"causal_of_full": fraction}


# ---- on a GPU --------------------------------------------------------------------------------------------------------


@suite.check(rung="paper", points=2, timeout_seconds=300.0, exclusive=True)
def gpu_matches(submission: Submission, rng: np.random.Generator) -> None:
    """On the device, o agrees with a float64 reference, in float16, bfloat16 and float32, causal and not."""
    speed.match(submission, speed.ON_GPU.device, _seed(rng))


@suite.check(rung="paper", needs=[gpu_matches], points=4, timeout_seconds=600.0, exclusive=True)
def gpu_faster_than_naive(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """From T = 2048 up to 8192, causal float16 attention is faster than the same in torch operators."""
    curve = speed.race_lengths(submission, speed.ON_GPU, _seed(rng))
    return {**curve, **speed.measure_throughput(submission, speed.ON_GPU, _seed(rng))}


@suite.check(rung="paper", needs=[gpu_matches], points=2, timeout_seconds=300.0, exclusive=True)
def gpu_memory(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Memory beside the inputs grows no faster than T, from 4096 to 8192."""
    return speed.compare_memory(submission, speed.ON_GPU, _seed(rng))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 40))
