"""The hidden checks of llm/attention: each promise of the brief, on inputs that tell the known mistakes apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import (
    CheckFailed,
    Reference,
    Submission,
    Suite,
    Tensor,
    Tolerance,
    expect,
    expect_close,
    expect_unchanged,
)

from . import misconceptions, oracle
from .cases import EDGES, EXAMPLE, EXAMPLE_Y, Case, draw, draw_large, draw_telling
from .misconceptions import Mistakes

suite = Suite("llm/attention")

# Relative to the largest element. In 4000 float32 draws the six shipped styles stay below 5e-7 in y and 1.8e-6 in every
# gradient (99.9 % of the draws: 4e-7 and 8e-7). The nearest known mistake is some 3e-2 away in either.
FORWARD_TOLERANCE = Tolerance(relative=1e-5)
GRADIENT_TOLERANCE = Tolerance(relative=1e-5)
# Type, shape, dtype and finiteness only.
ANY_VALUE = Tolerance(relative=0.0, absolute=np.inf)
# The worked example is printed to four decimals.
EXAMPLE_TOLERANCE = Tolerance(relative=0.0, absolute=6e-5)
# Central differences in float64 with a step of 1e-6 along a unit direction, relative to the gradient's norm over the
# root of its size. Honest code stays below 3e-9; a scale that is held in float32 on one side only costs 3e-8;
# float32 arithmetic inside costs 1e-2 as a rule, and less than the tolerance once in ten thousand runs.
DIFFERENCE_STEP = 1e-6
DIFFERENCE_TOLERANCE = 1e-6

# CPU seconds that attention_backward may take at COST_SIZES, beside a multiple of its own forward pass. Derived,
# it takes 2 to 4 times the forward pass, 40 ms in loops.py. Differences take two forward passes for each of 18,752
# elements: 4 s or more, even if hundreds of elements are moved at once.
COST_SECONDS = 0.5
COST_FACTOR = 50.0
COST_SIZES = (2, 16, 4, 16)

LAYOUTS = ("strided", "permuted")


def forward(submission: Submission, case: Case, layout: str = "contiguous") -> tuple[Tensor, Reference]:
    """Call attention_forward; y has the promised form, its values are left to the check. The cache stays there."""
    answer = submission.call("attention_forward", *case.arguments(layout), opaque=(1,))
    words = f"attention_forward returned {len(answer)} values"
    expect(len(answer) == 2, words, expected="y and a cache", diagnosis="wrong-type")
    y, cache = answer
    is_tensor = isinstance(y, Tensor) and y.kind == "torch"
    expect(is_tensor, "y is not a tensor", expected="a torch tensor", actual=type(y).__name__, diagnosis="wrong-type")
    shape = case.inputs.x.shape
    words = "y has another shape than x"
    expect(y.shape == shape, words, expected=str(list(shape)), actual=str(list(y.shape)), diagnosis="wrong-shape")
    words = "y has another dtype than x"
    expect(y.dtype == case.dtype, words, expected=case.dtype, actual=y.dtype, diagnosis="wrong-dtype")
    return y, cache


def backward(submission: Submission, dy: Any, cache: Reference) -> dict[str, Any]:
    """Call attention_backward; anything but a dictionary with the five names is a failure."""
    answer = submission.call("attention_backward", dy, cache)
    names = ", ".join(oracle.GRADIENT_NAMES)
    expect(
        isinstance(answer, dict),
        f"attention_backward returned a {type(answer).__name__} and not a dictionary",
        expected=f"a dictionary with the keys {names}",
        diagnosis="wrong-type",
    )
    missing = [name for name in oracle.GRADIENT_NAMES if name not in answer]
    expect(
        not missing,
        f"the dictionary of gradients lacks {', '.join(missing)}",
        expected=f"the keys {names}",
        actual=f"the keys {', '.join(map(str, answer))}",
        diagnosis="missing-key",
    )
    gradients = {name: answer[name] for name in oracle.GRADIENT_NAMES}
    for name, gradient in gradients.items():
        is_array = isinstance(gradient, Tensor) and gradient.kind == "numpy"
        expect(not is_array, f"the gradient of {name} is a numpy array and not a torch tensor", diagnosis="wrong-type")
    return gradients


# ---- forward ---------------------------------------------------------------------------------------------------------


@suite.check(rung="core", points=1)
def shapes_and_types(submission: Submission, rng: np.random.Generator) -> None:
    """attention_forward returns (y, cache); y is a tensor of the shape and dtype of x, in float32 and in float64."""
    for dtype, sizes in (("float32", (2, 5, 3, 2)), ("float64", (3, 4, 2, 3))):
        case = draw(rng, *sizes, dtype)
        forward(submission, case)


@suite.check(rung="core", needs=[shapes_and_types], points=3)
def forward_matches(submission: Submission, rng: np.random.Generator) -> None:
    """y agrees with a float64 reference to 1e-5 of its largest element, for sizes and values drawn at random."""
    for dtype in ("float32", "float64"):
        case = draw_telling(rng, dtype)
        y, _ = forward(submission, case)
        bugs = Mistakes(misconceptions.FORWARD_BUGS, partial(oracle.forward, case.inputs))
        expect_close(y, oracle.forward(case.inputs), tolerance=FORWARD_TOLERANCE, what="y", dtype=dtype, bugs=bugs)


@suite.check(rung="core", needs=[shapes_and_types], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief comes out, to the four decimals printed there."""
    y, _ = forward(submission, Case(EXAMPLE, np.zeros_like(EXAMPLE.x)))
    expect_close(y, EXAMPLE_Y, tolerance=EXAMPLE_TOLERANCE, what="y of the worked example", dtype="float32")


@suite.check(rung="core", needs=[forward_matches], points=1)
def edge_sizes(submission: Submission, rng: np.random.Generator) -> None:
    """One position, one sequence, one head, heads of odd size and of size 1: y is right for all of them."""
    for index, sizes in enumerate(EDGES):
        case = draw(rng, *sizes, ("float32", "float64")[index % 2])
        y, _ = forward(submission, case)
        what = f"y for {_sizes_in_words(sizes)}"
        expect_close(y, oracle.forward(case.inputs), tolerance=FORWARD_TOLERANCE, what=what, dtype=case.dtype)


def _sizes_in_words(sizes: tuple[int, int, int, int]) -> str:
    return "B={}, T={}, n_heads={}, D={}".format(*sizes)


@suite.check(rung="core", needs=[forward_matches], points=1)
def memory_layouts(submission: Submission, rng: np.random.Generator) -> None:
    """Arguments that are not contiguous in memory give the same y."""
    for layout in LAYOUTS:
        case = draw_telling(rng, "float32")
        y, _ = forward(submission, case, layout)
        what = f"y for {layout} arguments"
        expect_close(y, oracle.forward(case.inputs), tolerance=FORWARD_TOLERANCE, what=what, dtype="float32")


@suite.check(rung="core", needs=[forward_matches], points=2)
def large_inputs(submission: Submission, rng: np.random.Generator) -> None:
    """With x scaled by 1e4, y is finite and right."""
    case = draw_large(rng)
    y, _ = forward(submission, case)
    bugs = Mistakes(misconceptions.LARGE_INPUT_BUGS, partial(oracle.forward, case.inputs))
    expect_close(y, oracle.forward(case.inputs), tolerance=FORWARD_TOLERANCE, what="y", dtype="float32", bugs=bugs)


@suite.check(rung="core", needs=[forward_matches], points=2)
def causality(submission: Submission, rng: np.random.Generator) -> None:
    """Changing x at later positions changes nothing at earlier ones, bit for bit, however large the change."""
    case = draw_telling(rng, "float32")
    now = int(rng.integers(2, case.inputs.x.shape[1]))
    before = forward(submission, case)[0].array[:, :now]
    for size in (1.0, 1e4):
        x = case.inputs.x.copy()
        x[:, now:] = size * rng.standard_normal(x[:, now:].shape)
        after = forward(submission, replace(case, inputs=replace(case.inputs, x=x)))[0].array[:, :now]
        changed = int((before != after).sum())
        expect(
            changed == 0,
            f"x was changed from position {now} on, and y changed before it",
            expected=f"y[:, :{now}] the same, bit for bit",
            actual=f"{changed} of {before.size} elements of y[:, :{now}] differ",
            diagnosis="sees-the-future",
        )


# ---- backward --------------------------------------------------------------------------------------------------------


def _gradient_matches(submission: Submission, rng: np.random.Generator, name: str) -> None:
    case = draw_telling(rng, "float32")
    _, cache = forward(submission, case)
    found = backward(submission, Tensor(case.dy), cache)[name]
    right = oracle.gradients(case.inputs, case.dy)[name]
    table = {known: misconceptions.BACKWARD_BUGS[known] for known in misconceptions.SHOWS_IN[name]}
    bugs = Mistakes(table, lambda switched_on: oracle.gradients(case.inputs, case.dy, switched_on)[name])
    what = f"the gradient of {name}"
    expect_close(found, right, tolerance=GRADIENT_TOLERANCE, what=what, dtype="float32", bugs=bugs)


@suite.check(rung="core", needs=[forward_matches], points=1)
def gradient_of_w_out(submission: Submission, rng: np.random.Generator) -> None:
    """The gradient of w_out agrees with a float64 reference to 1e-5 of its largest element."""
    _gradient_matches(submission, rng, "w_out")


@suite.check(rung="core", needs=[forward_matches], points=1)
def gradient_of_b_out(submission: Submission, rng: np.random.Generator) -> None:
    """The gradient of b_out agrees with a float64 reference to 1e-5 of its largest element."""
    _gradient_matches(submission, rng, "b_out")


@suite.check(rung="core", needs=[forward_matches], points=3)
def gradient_of_w_qkv(submission: Submission, rng: np.random.Generator) -> None:
    """The gradient of w_qkv agrees with a float64 reference to 1e-5 of its largest element."""
    _gradient_matches(submission, rng, "w_qkv")


@suite.check(rung="core", needs=[forward_matches], points=1)
def gradient_of_b_qkv(submission: Submission, rng: np.random.Generator) -> None:
    """The gradient of b_qkv agrees with a float64 reference to 1e-5 of its largest element."""
    _gradient_matches(submission, rng, "b_qkv")


@suite.check(rung="core", needs=[forward_matches], points=2)
def gradient_of_x(submission: Submission, rng: np.random.Generator) -> None:
    """The gradient of x agrees with a float64 reference to 1e-5 of its largest element."""
    _gradient_matches(submission, rng, "x")


FIVE_GRADIENTS = [gradient_of_w_out, gradient_of_b_out, gradient_of_w_qkv, gradient_of_b_qkv, gradient_of_x]


@suite.check(rung="core", needs=[forward_matches], points=2)
def finite_differences(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """In float64, moving all five arrays a little both ways changes your own y as your own gradients say."""
    case = draw(rng, 2, 5, 2, 3, "float64")
    directions = {name: rng.standard_normal(getattr(case.inputs, name).shape) for name in oracle.GRADIENT_NAMES}
    length = float(np.sqrt(sum((direction**2).sum() for direction in directions.values())))
    y, cache = forward(submission, case)
    gradients = backward(submission, Tensor(case.dy), cache)
    for name, gradient in gradients.items():
        shape = np.zeros_like(directions[name])
        expect_close(gradient, shape, tolerance=ANY_VALUE, what=f"the gradient of {name}", dtype="float64")
    ahead, behind = (_loss(submission, _moved(case, directions, sign * DIFFERENCE_STEP / length)) for sign in (1, -1))
    right = oracle.gradients(case.inputs, case.dy)
    # along a random unit direction a gradient of norm g and n elements has a slope of about g / sqrt(n)
    typical = np.sqrt(sum((gradient**2).sum() for gradient in right.values()) / sum(map(np.size, right.values())))
    with np.errstate(over="ignore", invalid="ignore"):
        measured = (ahead - behind) / (2 * DIFFERENCE_STEP)
        claimed = sum(float((gradients[name].array * directions[name]).sum()) for name in directions) / length
        distance = float(abs(measured - claimed) / typical)
        right_slope = sum(float((right[name] * directions[name]).sum()) for name in directions) / length
        rounded = float(np.abs(y.array - oracle.forward(case.inputs)).max()) > 1e-9
    expect(
        distance <= DIFFERENCE_TOLERANCE,
        "your backward pass does not agree with a small change of your own forward pass",
        expected=f"a slope of {measured:.10g}, measured on your forward pass",
        actual=f"a slope of {claimed:.10g} according to your gradients",
        diagnosis="computes-in-float32" if rounded and abs(claimed - right_slope) < 1e-3 * typical else None,
    )
    return {"agreement": distance}


def _moved(case: Case, directions: Mapping[str, np.ndarray], step: float) -> Case:
    moved = {name: getattr(case.inputs, name) + step * direction for name, direction in directions.items()}
    return replace(case, inputs=replace(case.inputs, **moved))


def _loss(submission: Submission, case: Case) -> float:
    y, _ = forward(submission, case)
    expect_close(y, np.zeros_like(case.dy), tolerance=ANY_VALUE, what="y", dtype="float64")
    with np.errstate(over="ignore", invalid="ignore"):
        return float((case.dy * y.array).sum())


@suite.check(rung="core", needs=FIVE_GRADIENTS, points=1)
def backward_edge_cases(submission: Submission, rng: np.random.Generator) -> None:
    """The gradients are right at the edge sizes and for non-contiguous arguments, and finite at large inputs."""
    for sizes in EDGES:
        # in float64: with so few terms a gradient can be all cancellation, and float32 rounding looks large beside it
        _expect_gradients(submission, draw(rng, *sizes, "float64"), "contiguous", _sizes_in_words(sizes))
    _expect_gradients(submission, draw_telling(rng, "float32"), "permuted", "non-contiguous arguments")
    case = draw_large(rng)
    _, cache = forward(submission, case)
    for name, gradient in backward(submission, Tensor(case.dy), cache).items():
        expected = np.zeros_like(getattr(case.inputs, name))
        what = f"the gradient of {name} for x scaled by 1e4"
        expect_close(gradient, expected, tolerance=ANY_VALUE, what=what, dtype="float32")


def _expect_gradients(submission: Submission, case: Case, layout: str, what: str) -> None:
    _, cache = forward(submission, case, layout)
    found = backward(submission, Tensor(case.dy, layout=layout), cache)
    for name, expected in oracle.gradients(case.inputs, case.dy).items():
        label = f"the gradient of {name} for {what}"
        expect_close(found[name], expected, tolerance=GRADIENT_TOLERANCE, what=label, dtype=case.dtype)


@suite.check(rung="core", needs=FIVE_GRADIENTS, points=1)
def backward_cost(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """The backward pass costs a small multiple of the forward pass, as one does that was derived and not measured."""
    case = draw(rng, *COST_SIZES, "float64")
    start = submission.usage().cpu_seconds
    _, cache = forward(submission, case)
    middle = submission.usage().cpu_seconds
    try:
        found = backward(submission, Tensor(case.dy), cache)
    except CheckFailed as failure:
        if failure.diagnosis != "timeout":
            raise
        raise _measured(failure.rationale) from failure
    spent, allowed = submission.usage().cpu_seconds - middle, COST_SECONDS + COST_FACTOR * (middle - start)
    if spent > allowed:
        raise _measured(f"{spent:.2f} s of CPU time, where {allowed:.2f} s are allowed")
    for name, right in oracle.gradients(case.inputs, case.dy).items():
        what = f"the gradient of {name}"
        expect_close(found[name], right, tolerance=GRADIENT_TOLERANCE, what=what, dtype="float64")
    return {"backward_cpu_seconds": spent, "forward_cpu_seconds": middle - start}


def _measured(actual: str) -> CheckFailed:
    return CheckFailed(
        "attention_backward costs far more than a derived backward pass can",
        expected=f"at most {COST_FACTOR:g} times the forward pass and {COST_SECONDS:g} s",
        actual=actual,
        diagnosis="gradient-measured-not-derived",
    )


@suite.check(rung="core", needs=[shapes_and_types], points=1)
def inputs_untouched(submission: Submission, rng: np.random.Generator) -> None:
    """Neither function modifies its arguments."""
    case = draw_telling(rng, "float32")
    *sent, n_heads = case.arguments()
    kept = [submission.put(tensor) for tensor in sent]
    cache = submission.call("attention_forward", *kept, n_heads, opaque=(1,))[1]
    names = ("x", "w_qkv", "b_qkv", "w_out", "b_out")
    _expect_unchanged(names, kept, sent, "attention_forward")
    dy = submission.put(Tensor(case.dy))
    backward(submission, dy, cache)
    _expect_unchanged((*names, "dy"), [*kept, dy], [*sent, Tensor(case.dy)], "attention_backward")


def _expect_unchanged(names: Sequence[str], kept: Sequence[Reference], sent: Sequence[Tensor], by: str) -> None:
    for name, reference, original in zip(names, kept, sent, strict=True):
        expect_unchanged(reference, original, what=f"{name}, an argument of {by},")


@suite.check(rung="core", needs=FIVE_GRADIENTS, points=1)
def calls_in_flight(submission: Submission, rng: np.random.Generator) -> None:
    """Forward A, forward B, backward A gives the gradients of A, with all sizes of B the same as those of A."""
    first = draw_telling(rng, "float32")
    batch, length, width = first.inputs.x.shape
    heads = first.inputs.n_heads
    second = draw(rng, batch, length, heads, width // heads, "float32")
    _, cache = forward(submission, first)
    forward(submission, second)
    found = backward(submission, Tensor(first.dy), cache)
    right = oracle.gradients(first.inputs, first.dy)
    try:
        expect_close(
            found, right, tolerance=GRADIENT_TOLERANCE, what="the gradients of the first call", dtype="float32"
        )
    except CheckFailed as failure:
        # the five gradients of one call alone are right, so it is the second call that did it
        raise CheckFailed(
            "a forward pass with other inputs, made before the backward pass, changed the gradients",
            expected=failure.expected,
            actual=failure.actual,
            diagnosis="state-shared-between-calls",
        ) from failure
