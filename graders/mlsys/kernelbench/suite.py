"""The checks of mlsys/kernelbench: each task right and done by the learner's kernels, then what fusing saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Suite, Tensor, Tolerance, expect, expect_close
from deepfield_cli.grading.long_run import LongRun

from . import cases, misconceptions, speed, telling, verdicts
from .cases import Case
from .tasks import FUSED, OPERATIONS, OUTPUTS, sources
from .telling import Call, Told

suite = Suite("mlsys/kernelbench")

# The largest error of honest kernels in 2,000 draws of every task and way was 6e-7 of the largest element; the nearest
# known mistake is 2e-3 away (see the tests).
TOLERANCE = Tolerance(relative=1e-5)
# Far from zero the inputs themselves amplify rounding: up to 1e-5 was seen in attention_weights and the norms.
LARGE_TOLERANCE = Tolerance(relative=1e-4)
# Low precision is off by at most so much of the largest element: bfloat16 has 3 digits.
COARSE = 3e-2
# What a variance by cancellation is off by is part of the answer, not a multiple of it.
LOST_DIGITS = 1.0
# Looks need some elements to be seen: one number may be off by little for any reason.
FEWEST = 4
# A check is some thirty programs of Triton's interpreter: a third of a second here, and slow machines exist.
TASK_SECONDS = 30.0
# A fused kernel hands nothing on. A quarter leaves room for partial results of a split reduction.
HANDED_ON = 0.25
# Statistics in one pass over a row in blocks and the answer in a second one is an honest design for long rows.
PASSES = 2.05
# Tasks in which a formula that subtracts two large numbers looks right until the numbers are large.
CANCELLING = ("row_variance", "layer_norm", "group_norm")


def _judge_task(submission: Submission, rng: np.random.Generator, task: str) -> None:
    """One task in all ways of drawing it; the ordinary one twice in the same memory."""
    for way in cases.WAYS:
        case = cases.draw(task, way, rng)
        again = [case.again(rng)] if way == "ordinary" else []
        told = _forwards(submission, [case, *again])
        _judge_call(case, told.calls[0])
        expect(told.parameters_unchanged, "forward changed a parameter in place", diagnosis="mutates-parameters")
        if again:
            _judge_second_call(case, again[0], told)


def _forwards(submission: Submission, drawn: list[Case]) -> Told:
    """Make one model and call it with the inputs of each case; or say why there is no model."""
    case = drawn[0]
    parameters = {name: Tensor(array) for name, array in case.parameters.items()}
    calls = [[Tensor(array) for array in one.inputs.values()] for one in drawn]
    told = telling.read(submission.probe("forwards", case.task, case.init, parameters, calls), len(calls))
    if told.fault:
        raise _no_model(case.task, told)
    return told


def _no_model(task: str, told: Told) -> CheckFailed:
    if told.fault == "no-parameter":
        wanted, _, found = told.shown.partition("|")
        return CheckFailed(
            f"ModelNew of {task} lacks a parameter of Model",
            expected=wanted,
            actual=found,
            diagnosis="parameters-renamed",
        )
    no_class = told.fault == "no-class"
    what, wanted = ("model_new", "a class ModelNew") if no_class else ("ModelNew", "a torch.nn.Module")
    return CheckFailed(f"{what} of {task} gave a {told.shown}, where {wanted} is expected", diagnosis="wrong-type")


def _judge_call(case: Case, call: Call) -> None:
    """Raise what is wrong with one call, the most telling first: a known mistake, then the record, then numbers."""
    wrong = _wrong_values(case, call.output)
    if not call.plain and (wrong is None or wrong.diagnosis != "wrong-type"):
        raise CheckFailed("forward returned something else than plain tensors", diagnosis="lazy-output")
    if wrong is not None and wrong.diagnosis in misconceptions.NAMES:
        raise wrong
    for fault in verdicts.faults(call.record, list(case.inputs), list(case.parameters)):
        raise fault
    if wrong is not None:
        raise wrong
    expect(call.unchanged, "forward changed one of its inputs", diagnosis="mutates-input")


def _judge_second_call(first: Case, second: Case, told: Told) -> None:
    """Fresh values in the same memory: nothing may be remembered, and nothing that was returned may be used again."""
    output = told.calls[1].output
    if _wrong_values(second, output) is not None and _wrong_values(first, output) is None:
        raise CheckFailed(
            "other values at the same address gave the answer of the call before", diagnosis="cached-by-address"
        )
    _judge_call(second, told.calls[1])
    if _wrong_values(first, told.first) is not None:
        raise CheckFailed("the second call changed what the first one had returned", diagnosis="output-used-again")
    expect(
        told.threads <= 0,
        "forward returned and left threads behind",
        actual=f"{told.threads} more than before",
        diagnosis="leaves-work-behind",
    )


# ---- values ----------------------------------------------------------------------------------------------------------


def _wrong_values(case: Case, output: Any) -> CheckFailed | None:
    """What is wrong with the values of an output, with the name of the mistake if it has one."""
    try:
        for number, (name, dtype, actual) in enumerate(_outputs(case, output)):
            _compare(case, number, name, dtype, actual)
    except CheckFailed as failure:
        return failure
    return None


def _outputs(case: Case, output: Any) -> list[tuple[str, str, Any]]:
    wanted = OUTPUTS[case.task]
    parts = list(output) if isinstance(output, tuple | list) else [output]
    names = ", ".join(name for name, _ in wanted)
    single = len(wanted) == 1
    if (single and isinstance(output, tuple | list)) or len(parts) != len(wanted):
        kind = f"{len(parts)} values" if isinstance(output, tuple | list) else f"one {type(output).__name__}"
        raise CheckFailed(f"forward returned {kind}", expected=names, actual=kind, diagnosis="wrong-type")
    for (name, _), part in zip(wanted, parts, strict=True):
        expect(verdicts.is_tensor(part), f"{name} is no torch tensor", diagnosis="wrong-type")
    return [(name, dtype, part) for (name, dtype), part in zip(wanted, parts, strict=True)]


def _compare(case: Case, number: int, name: str, dtype: str, actual: Tensor) -> None:
    tolerance = LARGE_TOLERANCE if case.way == "large" else TOLERANCE
    right = case.expected()[number]
    what = f"{name} for {case.in_words()}"
    bugs = misconceptions.Mistakes(case, number)
    try:
        expect_close(actual, right, tolerance=tolerance, what=what, dtype=dtype, bugs=bugs)
    except CheckFailed as failure:
        # a batch whose digits were lost is no batch that was never written, which may hold anything
        if failure.diagnosis in (None, "reduced-precision", "off-by-a-constant", "one-batch-only"):
            failure.diagnosis = _by_its_looks(case, actual.array, right) or failure.diagnosis
        raise


def _by_its_looks(case: Case, actual: np.ndarray, right: np.ndarray) -> str | None:
    """Mistakes whose numbers depend on the order of every addition: known by where and how far they are off."""
    scale = float(np.abs(right).max())
    if actual.shape != right.shape or actual.dtype.kind != "f" or not np.isfinite(actual).all() or scale == 0:
        return None
    off = np.abs(actual - right)
    if case.way == "large" and case.task in CANCELLING and off.max() < LOST_DIGITS * scale:
        return "variance-by-cancellation"
    if right.size < FEWEST:
        return None
    rounded = float(off.max()) < COARSE * scale and float(np.median(off)) > TOLERANCE.relative * scale / 2
    return "lower-precision" if rounded else None


# ---- the tasks, level 1 ----------------------------------------------------------------------------------------------


@suite.check(points=1, timeout_seconds=20.0)
def softplus_gate(submission: Submission, rng: np.random.Generator) -> None:
    """Elementwise: a softplus that is multiplied by a gate, also where exp overflows."""
    _judge_task(submission, rng, "softplus_gate")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def row_variance(submission: Submission, rng: np.random.Generator) -> None:
    """Reduction: the variance of every row, also 300 spreads away from zero."""
    _judge_task(submission, rng, "row_variance")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def max_over_middle(submission: Submission, rng: np.random.Generator) -> None:
    """Reduction: the largest values along the middle axis and their places, also where all are negative."""
    _judge_task(submission, rng, "max_over_middle")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def layer_norm(submission: Submission, rng: np.random.Generator) -> None:
    """Norm: every position to mean 0 and variance 1, with eps, weight and bias."""
    _judge_task(submission, rng, "layer_norm")


@suite.check(needs=[layer_norm], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief, a layer norm of four numbers, comes out exactly."""
    told = _forwards(submission, [cases.EXAMPLE])
    (output,) = (part for _, _, part in _outputs(cases.EXAMPLE, told.calls[0].output))
    expect_close(output, cases.EXAMPLE_Y, tolerance=TOLERANCE, what="y of the worked example", dtype="float32")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def group_norm(submission: Submission, rng: np.random.Generator) -> None:
    """Norm: statistics over groups of channels, weight and bias for each channel."""
    _judge_task(submission, rng, "group_norm")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def matmul_at_b(submission: Submission, rng: np.random.Generator) -> None:
    """Matrix product: the first matrix arrives transposed; no size is a multiple of a block."""
    _judge_task(submission, rng, "matmul_at_b")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def batched_matmul_bt(submission: Submission, rng: np.random.Generator) -> None:
    """Matrix product: a batch of small ones, the second matrix transposed."""
    _judge_task(submission, rng, "batched_matmul_bt")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def conv2d(submission: Submission, rng: np.random.Generator) -> None:
    """Convolution: window, stride and padding differ between rows and columns."""
    _judge_task(submission, rng, "conv2d")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def log_softmax_channels(submission: Submission, rng: np.random.Generator) -> None:
    """Softmax: its logarithm along an axis that is not the last, also for logits in the hundreds."""
    _judge_task(submission, rng, "log_softmax_channels")


@suite.check(points=1, timeout_seconds=TASK_SECONDS)
def cross_entropy(submission: Submission, rng: np.random.Generator) -> None:
    """Loss: the mean cross-entropy of a batch, one number."""
    _judge_task(submission, rng, "cross_entropy")


# ---- the tasks, level 2 ----------------------------------------------------------------------------------------------


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def linear_bias_gelu(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: a linear layer and the exact GELU."""
    _judge_task(submission, rng, "linear_bias_gelu")


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def residual_rms_norm(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: add a residual, normalise the sum, return both."""
    _judge_task(submission, rng, "residual_rms_norm")


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def swiglu(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: two linear layers of one input, one gating the other."""
    _judge_task(submission, rng, "swiglu")


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def attention_weights(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: scale, bias for each head, softmax."""
    _judge_task(submission, rng, "attention_weights")


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def linear_logsumexp(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: a wide linear layer of which only one number per row is wanted."""
    _judge_task(submission, rng, "linear_logsumexp")


@suite.check(points=2, timeout_seconds=TASK_SECONDS)
def distillation_loss(submission: Submission, rng: np.random.Generator) -> None:
    """Fusion: two softmaxes at a temperature, and the divergence of one from the other."""
    _judge_task(submission, rng, "distillation_loss")


@suite.check(
    needs=[linear_bias_gelu, residual_rms_norm, swiglu, attention_weights, linear_logsumexp, distillation_loss],
    points=3,
    timeout_seconds=TASK_SECONDS,
)
def fused_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Fused kernels hand on at most a quarter of what unfused ones would, and read a row at most twice."""
    measured = {}
    for task, (times, large_inputs) in FUSED.items():
        case = cases.draw(task, "ordinary", rng)
        record = _forwards(submission, [case]).calls[0].record
        unfused = times * case.intermediate_bytes()
        handed_on = verdicts.handed_on(record)
        measured[f"handed_on_{task}"] = handed_on / unfused
        expect(
            handed_on <= HANDED_ON * unfused,
            f"{task}: your kernels hand on through memory what a fused kernel keeps in registers",
            expected=f"at most {HANDED_ON * unfused:,.0f} bytes, a quarter of the {unfused:,} bytes of unfused kernels",
            actual=f"{handed_on:,} bytes for {case.in_words()}",
            diagnosis="not-fused",
        )
        for number in large_inputs:
            times_read = verdicts.times_read(record, number)
            name = list(case.inputs)[number]
            expect(
                times_read <= PASSES,
                f"{task}: {name} is read {times_read:.1f} times",
                expected=f"at most {PASSES:g} times; once is enough for a row that fits into a block",
                actual=f"{times_read:.2f} loads of every element",
                diagnosis="reads-too-often",
            )
    return measured


# ---- speed -----------------------------------------------------------------------------------------------------------

# Half of the tasks have to be faster than eager torch. The fused ones save a half to three quarters of the traffic and
# reductions a launch or two; a product in full float32 need not beat the library's.
PASS_MARK = 0.5


@suite.check(rung="paper", points=5, timeout_seconds=7000.0, exclusive=True)
def speed_ups(
    submission: Submission, shipped: Submission, rng: np.random.Generator, data: Mapping[str, Path], run: LongRun
) -> dict[str, float]:
    """All sixteen tasks are right at full size in every timed call, and half of them faster than eager torch."""
    return judge_speed(submission, shipped, rng, data, run, speed.Plan())


def judge_speed(
    submission: Submission,
    reference: Submission,
    rng: np.random.Generator,
    data: Mapping[str, Path],
    run: LongRun,
    plan: speed.Plan,
) -> dict[str, float]:
    """Measure our own tasks, and those of the public benchmark for which there is a solution."""
    own = [(path.stem, path.read_text(encoding="utf-8")) for path in sorted(sources().glob("*.py"))]
    public = list(speed.public_tasks(data["kernelbench"])) if "kernelbench" in data else []
    names = [name for name, _ in public]
    tried = set(submission.probe("attempted", names)) & set(names) if names else set()
    queue = [*own, *((name, source) for name, source in public if name in tried)]
    peaks = speed.find_peaks(reference, plan)
    measured = []
    for step, (name, source) in enumerate(queue, start=1):
        pair = speed.Pair(submission, reference, plan, own=step <= len(own), peaks=peaks, operations=OPERATIONS)
        measured.append(pair.measure(name, source, rng))
        run.report(step=step, total=len(queue), speed_up=measured[-1].counted)
    ours, theirs = measured[: len(own)], measured[len(own) :]
    _expect_speed(ours)
    _expect_right(theirs)
    return {**speed.metrics(ours), **speed.public_metrics(theirs, names)}


def _expect_speed(ours: Sequence[speed.Measured]) -> None:
    _expect_right(ours)
    fraction = speed.fast_p(ours, 1.0)
    expect(
        fraction >= PASS_MARK,
        f"{100 * fraction:.0f} % of the tasks are faster than eager torch",
        expected=f"at least {100 * PASS_MARK:.0f} %",
        actual=speed.table(ours),
    )


def _expect_right(measured: Sequence[speed.Measured]) -> None:
    wrong = [one for one in measured if one.fault]
    expect(not wrong, f"{len(wrong)} of {len(measured)} tasks do not count", actual=speed.table(wrong))
