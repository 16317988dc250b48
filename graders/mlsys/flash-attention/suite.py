"""The hidden checks of mlsys/flash-attention: both passes, the bytes that they move, and whether you knew it before."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from deepfield_cli.grading import (
    CheckFailed,
    Submission,
    Suite,
    Tolerance,
    expect,
    expect_close,
    expect_unchanged,
)
from graders.kit.attention_mistakes import BLOCKED, NARROW, OVERFLOWING, PLAIN
from graders.kit.kernel_record import KernelRecord
from graders.kit.traffic_law import Law

from . import backward_mistakes, example, movement, speed
from .calls import (
    LARGE,
    NARROW_BACKWARD,
    ask_blocks,
    ask_io,
    expect_backward,
    expect_forward,
    expect_same_bits,
    named,
    raised_as,
    run_backward,
    run_both,
    run_forward,
)
from .cases import EDGES, Case, draw, draw_half, draw_high, draw_large, draw_long, draw_narrow, draw_square
from .movement import Blocks

suite = Suite("mlsys/flash-attention")

KIB = 1024
# Values are compared at this budget for D = 16: blocks of 32 or 64 queries and 16 or 32 keys, several of each.
SMALL = 16 * KIB
LAYOUTS = (
    ("permuted", "contiguous", "strided", "contiguous"),
    ("contiguous", "permuted", "contiguous", "permuted"),
    ("contiguous", "contiguous", "permuted", "strided"),
)
TRAFFIC_SECONDS = 60.0
BY_TORCH = "torch-does-the-work"

# ---- what fits -------------------------------------------------------------------------------------------------------

# Here square blocks have at least half of the best block_m, for every head_dim; between, they may have a quarter.
BUDGETS = (16 * KIB, 32 * KIB, 48 * KIB, 64 * KIB, 100_000, 128 * KIB, 164 * KIB, 227 * KIB, 256 * KIB)


@suite.check(rung="core", points=2)
def blocks_fit(submission: Submission, rng: np.random.Generator) -> None:
    """For every head_dim, budget and element size, block_sizes fit, and block_m is at least half of the best."""
    drawn = int(rng.integers(16 * KIB, 256 * KIB))
    for head_dim in (16, 32, 64, 128):
        for element_bytes in (4, 2):
            for budget in (*BUDGETS, drawn):
                best = movement.best_queries(head_dim, budget, element_bytes)
                if best:
                    least = max(movement.SMALLEST, best // (4 if budget == drawn else 2))
                    _expect_fitting(submission, head_dim, budget, element_bytes, least)
            short = int(rng.choice(movement.one_byte_short(head_dim, element_bytes, BUDGETS)))
            _expect_fitting(submission, head_dim, short, element_bytes, movement.SMALLEST)


def _expect_fitting(submission: Submission, head_dim: int, budget: int, element_bytes: int, least: int) -> None:
    sizes = ask_blocks(submission, head_dim, budget, element_bytes)
    blocks = Blocks(*sizes, head_dim, element_bytes)
    what = f"block_sizes({head_dim}, {budget}, {element_bytes}) = {sizes}"
    told = " + ".join(f"{size:,} {name}" for name, size in blocks.parts().items())
    words, most = f"{what} does not fit", f"at most {budget:,} bytes"
    expect(blocks.held() <= budget, words, expected=most, actual=told, diagnosis="budget-exceeded")
    words, expected = f"{what} leaves too much of the budget unused", f"block_m of {least} or more"
    expect(blocks.queries >= least, words, expected=expected, actual=told, diagnosis="blocks-too-small")


# ---- the numbers -----------------------------------------------------------------------------------------------------


@suite.check(rung="core", points=1)
def shapes_and_types(submission: Submission, rng: np.random.Generator) -> None:
    """Both passes return tensors of the promised shapes and dtypes, in float32, float16 and bfloat16."""
    # as many heads as positions: a forward kernel that exchanges the two stays inside its tensors, and gets its name
    for dtype in ("float32", "float16", "bfloat16"):
        run_forward(submission, draw(rng, (2, 5, 5, 16), True, dtype))
    for dtype in ("float32", "float16", "bfloat16"):
        run_backward(submission, draw(rng, (2, 3, 5, 16), True, dtype))


@suite.check(rung="core", needs=[shapes_and_types], points=3)
def forward_matches(submission: Submission, rng: np.random.Generator) -> None:
    """o and lse agree with float64 to 1e-5, over several blocks, causal and not."""
    square = draw_square(rng)
    few = run_forward(submission, square)
    raised_as("head-and-position-swapped", expect_forward, square, few, " for H = T = 12", addresses=True)
    for causal in (True, False):
        case = draw_long(rng, causal)
        what = f", {'causal' if causal else 'not causal'},"
        expect_forward(case, run_forward(submission, case, SMALL), what, PLAIN + BLOCKED)
    expect_forward(square, few, " for H = T = 12", addresses=True)


@suite.check(rung="core", needs=[shapes_and_types], points=4)
def backward_matches(submission: Submission, rng: np.random.Generator) -> None:
    """dq, dk and dv agree with float64 to 2e-5, over several blocks, causal and not; o and lse are the right ones."""
    square = draw_square(rng)
    few = run_backward(submission, square)
    raised_as("head-and-position-swapped", expect_backward, square, few, " for H = T = 12", addresses=True)
    for causal in (True, False):
        case = draw_long(rng, causal)
        what = f", {'causal' if causal else 'not causal'},"
        expect_backward(case, run_backward(submission, case), what, backward_mistakes.SLIPS)
    expect_backward(square, few, " for H = T = 12", addresses=True)


@suite.check(rung="core", needs=[shapes_and_types], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief comes out, to the four decimals printed there."""
    tolerance = Tolerance(relative=0.0, absolute=6e-5)
    forward = run_forward(submission, example.CASE).outputs
    backward = run_backward(submission, example.CASE).outputs
    for name, printed in example.PRINTED.items():
        what = f"{name} of the worked example"
        expect_close({**forward, **backward}[name], printed, tolerance=tolerance, what=what, dtype="float32")


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def edge_sizes(submission: Submission, rng: np.random.Generator) -> None:
    """One position, lengths that are no multiple of any block, heads of 16, 32, 64 and 128 channels."""
    for index, shape in enumerate(EDGES):
        what = " for B={}, H={}, T={}, D={}".format(*shape)
        case = draw(rng, shape, index % 2 == 0)
        expect_forward(case, run_forward(submission, case), what)
        expect_backward(case, run_backward(submission, case), what)


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def memory_layouts(submission: Submission, rng: np.random.Generator) -> None:
    """q, k, v and do may lie in memory in any way, each in its own."""
    for layouts in LAYOUTS:
        case = replace(draw(rng, (2, 3, 21, 16), True), layouts=layouts)
        what = " for {} q, {} k, {} v, {} do".format(*layouts)
        expect_forward(case, run_forward(submission, case), what, addresses=True)
        expect_backward(case, run_backward(submission, case), what, addresses=True)


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def large_scores(submission: Submission, rng: np.random.Generator) -> None:
    """With scores up to 1e3, everything is finite and right."""
    for causal in (True, False):
        case = draw_large(rng, causal)
        expect_forward(case, run_forward(submission, case, SMALL), known=OVERFLOWING, tolerance=LARGE)
        passed = run_backward(submission, case)
        expect_backward(case, passed, known=backward_mistakes.OVERFLOWING, tolerance=LARGE)


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def half_precision(submission: Submission, rng: np.random.Generator) -> None:
    """float16 and bfloat16 inputs are accumulated in float32, in both passes."""
    for dtype in ("float16", "bfloat16"):
        what = f" in {dtype}"
        expect_forward(case := draw_half(rng, dtype), run_forward(submission, case, SMALL), what, NARROW)
        case = draw(rng, (1, 2, 45, 64), True, dtype)
        expect_forward(case, run_forward(submission, case), what)
        expect_backward(case, run_backward(submission, case), what)
        case = draw_high(rng, dtype)
        passed = run_backward(submission, case)
        with named("lse-in-half"):
            expect_backward(case, passed, what, names=("dv",))
        for case in draw_narrow(rng, dtype):
            passed = run_backward(submission, case)
            with named("gradients-summed-in-half"):
                expect_backward(case, passed, what, tolerance=NARROW_BACKWARD[dtype])


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=1)
def inputs_untouched(submission: Submission, rng: np.random.Generator) -> None:
    """Neither function modifies its arguments."""
    case = draw(rng, (1, 2, 20, 16), True)
    for function, sent, names in (
        ("flash_forward", case.inputs(), "q k v"),
        ("flash_backward", case.inputs_of_backward(), "q k v o lse do"),
    ):
        kept = [submission.put(tensor) for tensor in sent]
        submission.call(function, *kept, True, opaque=True)
        for name, reference, original in zip(names.split(), kept, sent, strict=True):
            expect_unchanged(reference, original, what=f"{name}, an argument of {function},")


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def passes_agree(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Your backward pass, on your own o and lse, gives the slope that finite differences of your forward pass have."""
    case = replace(draw(rng, (1, 2, 20, 16), True), layouts=("permuted", "contiguous", "contiguous", "contiguous"))
    found = run_both(submission, case, draw(rng, case.shape, True))
    worst = 0.0
    for name in "qkv":
        gradient = found[f"d{name}"].array.astype(np.float64)
        direction = rng.standard_normal(case.shape)
        slope = _slope(submission, case, name, direction)
        error = abs(slope - float((gradient * direction).sum())) / float(np.linalg.norm(gradient))
        words = f"d{name} is not the slope of your own forward pass"
        actual = f"{float((gradient * direction).sum()):.5g}"
        expect(error <= SLOPE_TOLERANCE, words, expected=f"{slope:.5g}", actual=actual)
        worst = max(worst, error)
    return {"slope_error": worst}


STEP = 2.0**-6
# Of the gradient's length; the shipped styles stayed below 8e-4 in 24 runs.
SLOPE_TOLERANCE = 1e-2


def _slope(submission: Submission, case: Case, name: str, direction: np.ndarray) -> float:
    """Of sum(o * do) along a direction of q, k or v: a central difference."""
    ends = []
    for step in (STEP, -STEP):
        moved = (getattr(case.heads, name) + step * direction).astype(np.float32).astype(np.float64)
        there = replace(case, heads=replace(case.heads, **{name: moved}))
        o = run_forward(submission, there).outputs["o"].array.astype(np.float64)
        ends.append(float((o * case.do).sum()))
    return (ends[0] - ends[1]) / (2 * STEP)


# ---- who does the work -----------------------------------------------------------------------------------------------


@suite.check(rung="core", needs=[forward_matches, backward_matches], points=2)
def kernels_do_the_work(submission: Submission, rng: np.random.Generator) -> None:
    """Triton kernels read the inputs and write the outputs; torch multiplies no matrices and normalises nothing."""
    for run, read, written in ((run_forward, 3, 1), (run_backward, 4, 3)):
        computed = []
        for length in (24, 72):
            record = run(submission, draw(rng, (1, 1, length, 16), False)).record
            _expect_kernels(record, length, read, written)
            computed.append(record.computing_operators)
        words = "the number of torch operators that compute something grows with the length"
        actual = f"{computed[0]} at T = 24 and {computed[1]} at T = 72"
        expect(computed[1] <= computed[0], words, actual=actual, diagnosis=BY_TORCH)


def _expect_kernels(record: KernelRecord, length: int, read: int, written: int) -> None:
    expect(record.launches > 0, "no Triton kernel was launched", diagnosis="no-kernel")
    work = record.work_of_torch
    words, told = "torch did the work of the kernels", "no matrix product, no softmax"
    expect(not work, words, expected=told, actual=", ".join(work), diagnosis=BY_TORCH)
    row = length * 16 * 4
    words = "the kernels read less than their inputs, or wrote less than their outputs"
    expect(
        record.loaded >= read * row and record.stored >= written * row,
        words,
        expected=f"at least {read * row} bytes read and {written * row} written at T = {length}",
        actual=f"{record.loaded} and {record.stored}",
        diagnosis=BY_TORCH,
    )
    words = "an output holds what no kernel wrote, and no copy of it either"
    outputs = [name for name in record.tensors if name.startswith("output")]
    expect(all(map(record.is_from_a_kernel, outputs)), words, diagnosis=BY_TORCH)


@suite.check(rung="core", needs=[kernels_do_the_work], points=3)
def nothing_square(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Neither pass holds N×N numbers, at once or in pieces: three times the length takes three times the memory."""
    short, long = 64, 192
    metrics = {}
    for run, name in ((run_forward, "flash_forward"), (run_backward, "flash_backward")):
        for causal in (True, False):
            passed = {length: run(submission, draw(rng, (1, 1, length, 16), causal)) for length in (short, long)}
            largest = passed[long].record.largest_allocation_elements
            words = f"{name} allocates a buffer as large as the matrix of scores"
            expected = f"fewer than {long}×{long} elements at T = {long}"
            expect(largest < long**2, words, expected=expected, actual=f"{largest}", diagnosis="scores-in-memory")
            growth = passed[long].allocated / max(1, passed[short].allocated)
            words = f"the memory of {name} grows faster than the sequence"
            expect(
                growth <= MEMORY_GROWTH,
                words,
                expected=f"at most {MEMORY_GROWTH} times as much at T = {long} as at T = {short}",
                actual=f"{growth:.3g} times: {passed[short].allocated:,} bytes, then {passed[long].allocated:,}",
                diagnosis="scores-in-memory",
            )
            metrics[f"bytes_{name}"] = float(passed[long].allocated)
    return metrics


# Three times the length, and a little for what is rounded up. A partial dq for each block of 128 keys makes it 3.6.
MEMORY_GROWTH = 3.3


@suite.check(rung="core", needs=[kernels_do_the_work], points=2)
def deterministic(submission: Submission, rng: np.random.Generator) -> None:
    """Two calls give the same bits on any machine: no two programs write one number, and no sum is made by atomics."""
    for causal in (True, False):
        case = draw_long(rng, causal)
        for run, function in ((run_forward, "flash_forward"), (run_backward, "flash_backward")):
            first, second = run(submission, case), run(submission, case)
            _expect_owned(first.record, case, function)
            for name in first.outputs:
                expect_same_bits(first.outputs[name], second.outputs[name], name)


def _expect_owned(record: KernelRecord, case: Case, function: str) -> None:
    contested = record.contested
    words = f"programs of one launch of {function} write what others of it read or write"
    expect(contested == 0, words, expected="an owner for every number", actual=f"{contested} bytes", diagnosis="race")
    # A counter is small; what has a number for every position is a sum.
    summed = [name for name, touched in record.tensors.items() if touched["size"] >= 4 * case.heads.length]
    counts = sum(record.tensors[name]["atomics"] for name in summed)
    words = f"{function} sums by atomics, whose order changes from run to run"
    expect(
        counts == 0,
        words,
        expected="an owner for every number",
        actual=f"{counts:,} additions",
        diagnosis="sums-by-atomics",
    )


# ---- what it moves ---------------------------------------------------------------------------------------------------

# shape, budget, dtype, causal: lengths that blocks divide and that they do not; one block, and many; several heads; one
# query more than blocks hold, and so few that a row too many is more than 2 %.
PREDICTIONS = (
    ((1, 1, 200, 16), 16 * KIB, "float32", False),
    ((1, 1, 200, 16), 32 * KIB, "float32", True),
    ((1, 1, 256, 64), 64 * KIB, "float32", True),
    ((2, 2, 70, 32), 16 * KIB, "float16", True),
    ((1, 1, 129, 128), 128 * KIB, "bfloat16", False),
    ((1, 1, 9, 16), 64 * KIB, "float16", False),
)
PREDICTION_TOLERANCE = 0.02


@suite.check(
    rung="core", needs=[forward_matches, blocks_fit, kernels_do_the_work], points=4, timeout_seconds=TRAFFIC_SECONDS
)
def prediction_holds(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """What flash_forward moves is what io_bytes says for its blocks, within 2 %; o is right with every budget."""
    worst = 0.0
    for shape, budget, dtype, causal in PREDICTIONS:
        blocks = _blocks(submission, shape[3], budget, 4 if dtype == "float32" else 2)
        told = ask_io(submission, shape[2], blocks, causal)
        case = draw(rng, shape, causal, dtype)
        passed = run_forward(submission, case, budget)
        expect_forward(case, passed, f" with SRAM_BYTES = {budget}")
        counted = passed.record.moved / (shape[0] * shape[1])
        most = max(blocks.queries, blocks.keys) * blocks.head_dim
        words = f"flash_forward loads or stores larger blocks than block_sizes allows with SRAM_BYTES = {budget}"
        told_most, found_most = f"{most} elements at once, at most", f"{passed.largest_block}"
        expect(passed.largest_block <= most, words, expected=told_most, actual=found_most, diagnosis="budget-ignored")
        error = abs(told / counted - 1.0)
        if error > PREDICTION_TOLERANCE:
            raise _unforeseen(blocks, told, counted, case, budget)
        worst = max(worst, error)
    return {"prediction_error": worst}


def _blocks(submission: Submission, head_dim: int, budget: int, element_bytes: int) -> Blocks:
    return Blocks(*ask_blocks(submission, head_dim, budget, element_bytes), head_dim, element_bytes)


def _unforeseen(blocks: Blocks, told: int, counted: float, case: Case, budget: int) -> CheckFailed:
    """Which of the two is to blame: the prediction, or the kernel."""
    length, causal = case.heads.length, case.heads.causal
    what = f"B, H, T, D = {list(case.shape)}, {case.dtype}, {'causal' if causal else 'not causal'}"
    what += f", SRAM_BYTES = {budget}, blocks of {blocks.queries} queries and {blocks.keys} keys"
    expected, actual = f"{counted:,.0f} bytes counted for each head", f"{told:,} by io_bytes"
    model = blocks.moved(length, causal)
    if _near(counted, model):
        found = (
            name for name, value in movement.wrong_predictions(blocks, length, causal) if _near(told, value, 0.002)
        )
        name = next(found, "prediction-off")
        return CheckFailed(f"io_bytes is wrong: {what}", expected=expected, actual=actual, diagnosis=name)
    if _has_other_blocks(blocks, counted, case):
        words = f"flash_forward does not take its blocks from block_sizes and SRAM_BYTES: {what}"
        return CheckFailed(words, expected=expected, actual=actual, diagnosis="budget-ignored")
    if causal and _near(counted, blocks.moved(length, False)):
        words = f"the causal kernel reads keys that no query of its block may see: {what}"
        return CheckFailed(words, expected=expected, actual=actual, diagnosis="causal-loop-not-bounded")
    return CheckFailed(
        f"the traffic is not what io_bytes says: {what}", expected=expected, actual=actual, diagnosis="prediction-off"
    )


def _has_other_blocks(blocks: Blocks, counted: float, case: Case) -> bool:
    """Whether the kernel moves as much as with other blocks."""
    length, causal = case.heads.length, case.heads.causal
    others = [replace(blocks, queries=queries, keys=keys) for queries in movement.SIZES for keys in movement.SIZES]
    return any(_near(counted, other.moved(length, causal), 1e-6) for other in others if other.queries != blocks.queries)


def _near(value: float, other: float, tolerance: float = PREDICTION_TOLERANCE) -> bool:
    return abs(value / other - 1.0) <= tolerance if other else False


# In float32 at D = 16, the best block of queries halves with each of these budgets.
# Blocks divide these lengths.
HALVINGS = {32 * KIB: (128, 256, 384), 16 * KIB: (64, 128), 8 * KIB: (64, 128)}
ROW_BYTES = 64
MUST_BYTES = 2 * ROW_BYTES + movement.LSE_BYTES  # a row of q, o and lse
GROWING = "block-grows-with-length"


@suite.check(rung="core", needs=[prediction_holds], points=4, timeout_seconds=TRAFFIC_SECONDS)
def traffic_law(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Bytes are a·N + b·N² within 2 %, reads of keys and values grow as N², and double where SRAM_BYTES is halved."""
    laws, metrics = {}, {}
    for budget, lengths in HALVINGS.items():
        counts = {length: _counted(submission, rng, length, budget, False) for length in lengths}
        blocks = _blocks(submission, 16, budget, 4)
        laws[budget] = _expect_law({length: count.moved for length, count in counts.items()}, blocks, budget)
        if len(lengths) == 3:
            moved = {length: count.moved for length, count in counts.items()}
            slope = _log_slope(counts)
            metrics = {"law_error": laws[budget].error(moved), "slope_over_length": slope}
            words, told = "reads of keys and values do not grow as N²", "N to the power 1.8 to 2.2"
            expect(1.8 <= slope <= 2.2, words, expected=told, actual=f"{slope:.3g}", diagnosis=GROWING)
    growth = laws[min(HALVINGS)].quadratic / laws[max(HALVINGS)].quadratic
    words = "reads of keys and values do not grow as the budget shrinks"
    expected = "4 times as many with a quarter of SRAM_BYTES, 2 to 8 times at any rate"
    expect(1.98 <= growth <= 8.1, words, expected=expected, actual=f"{growth:.3g} times", diagnosis="budget-ignored")
    return {**metrics, "growth_over_a_quarter_of_sram": growth}


def _expect_law(moved: dict[int, int], blocks: Blocks, budget: int) -> Law:
    law = Law.through(moved)
    told = ", ".join(f"{count:,} at T = {length}" for length, count in moved.items())
    words = "the bytes moved follow no law a·N + b·N²"
    expect(law.error(moved) <= PREDICTION_TOLERANCE, words, actual=told, diagnosis=GROWING)
    read = law.queries_per_block(ROW_BYTES)
    expected = f"all of them once for every {blocks.queries} queries, with SRAM_BYTES = {budget}"
    actual = f"once for every {read:.3g}; {told}"
    words = "keys and values are read too often"
    expect(read >= 0.98 * blocks.queries, words, expected=expected, actual=actual, diagnosis="keys-read-too-often")
    words = "the traffic grows no faster than the sequence"
    expect(read <= 4.1 * blocks.queries, words, expected=expected, actual=actual, diagnosis=GROWING)
    words = "keys and values are read less often than blocks that fit allow"
    expect(read <= 1.02 * blocks.queries, words, expected=expected, actual=actual, diagnosis="budget-ignored")
    return law


def _counted(submission: Submission, rng: np.random.Generator, length: int, budget: int, causal: bool) -> KernelRecord:
    case = draw(rng, (1, 1, length, 16), causal)
    passed = run_forward(submission, case, budget)
    expect_forward(case, passed, f" at T = {length}, with SRAM_BYTES = {budget}")
    return passed.record


def _log_slope(counts: dict[int, KernelRecord]) -> float:
    """The power of N with which reads of k and v grow; of all traffic beside q, o and lse, if those were copied."""
    short, long = min(counts), max(counts)
    reads = {
        length: sum(counts[length].tensors[name]["loaded"] for name in ("keys", "values")) for length in (short, long)
    }
    if not min(reads.values()):
        reads = {length: counts[length].moved - length * MUST_BYTES for length in (short, long)}
    return math.log(max(1, reads[long]) / max(1, reads[short])) / math.log(long / short)


@suite.check(rung="core", needs=[traffic_law], points=2, timeout_seconds=TRAFFIC_SECONDS)
def causal_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """With a mask, the forward pass reads at most three quarters as many keys and values, at T = 256."""
    full, causal = (_counted(submission, rng, 256, SMALL, flag).moved for flag in (False, True))
    fraction = (causal - 256 * MUST_BYTES) / (full - 256 * MUST_BYTES)
    words = "the causal kernel reads keys that no query of its block may see"
    expected, actual = "at most 75 % of the reads without a mask, at T = 256", f"{fraction:.1%}"
    expect(fraction <= 0.75, words, expected=expected, actual=actual, diagnosis="causal-loop-not-bounded")
    return {"causal_of_full": fraction}


@suite.check(rung="core", needs=[nothing_square], points=2, timeout_seconds=TRAFFIC_SECONDS)
def backward_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """The backward pass reads everything once for 16 rows or more, and with a mask it leaves out what no one sees."""
    short, long = 128, 384
    moved = _moved_backward(submission, rng, short, False)
    most = (6 * short // 16 + 16) * short * ROW_BYTES
    words = "the backward pass reads its inputs too often"
    expected, actual = f"at most {most:,} bytes at T = {short}, D = 16", f"{moved:,}"
    expect(moved <= most, words, expected=expected, actual=actual, diagnosis="keys-read-too-often")
    full, causal = (_moved_backward(submission, rng, long, flag) for flag in (False, True))
    words = "the causal backward pass reads what no query may see"
    expected, actual = f"at most 90 % of the bytes without a mask, at T = {long}", f"{causal / full:.1%}"
    expect(causal <= 0.9 * full, words, expected=expected, actual=actual, diagnosis="causal-loop-not-bounded")
    return {"backward_bytes": float(full), "backward_causal_of_full": causal / full}


def _moved_backward(submission: Submission, rng: np.random.Generator, length: int, causal: bool) -> int:
    case = draw(rng, (1, 1, length, 16), causal)
    passed = run_backward(submission, case)
    expect_backward(case, passed, f" at T = {length}")
    return passed.record.moved


# ---- on a GPU --------------------------------------------------------------------------------------------------------


@suite.check(rung="paper", points=2, timeout_seconds=300.0, exclusive=True)
def gpu_matches(submission: Submission, rng: np.random.Generator) -> None:
    """On the device, both passes agree with float64, in float16, bfloat16 and float32, causal and not."""
    speed.match(submission, speed.ON_GPU.device, _seed(rng))


@suite.check(rung="paper", needs=[gpu_matches], points=4, timeout_seconds=1200.0, exclusive=True)
def gpu_faster_than_naive(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """From T = 2048 up to 16384, causal float16 attention is faster than in torch operators, forward and both."""
    curve = speed.race_lengths(submission, speed.ON_GPU, _seed(rng))
    return {**curve, **speed.published_runtimes(submission, speed.ON_GPU, _seed(rng))}


@suite.check(rung="paper", needs=[gpu_matches], points=2, timeout_seconds=300.0, exclusive=True)
def gpu_memory(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Memory of both passes beside the inputs grows no faster than T, from 4096 to 8192."""
    return speed.compare_memory(submission, speed.ON_GPU, _seed(rng))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 40))
