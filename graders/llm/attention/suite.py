"""The hidden checks of llm/attention: each promise of the brief, on inputs that tell the known mistakes apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import (
    Bugs,
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

from . import oracle

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

# CPU seconds that attention_backward may take at COST_SIZES, beside a multiple of the same code's forward pass. If it is
# derived it takes 2 to 4 times the forward pass, 40 ms in loops.py. Differences take two forward passes for each of
# 18,752 elements: 4 s or more, even if hundreds of elements are moved at once.
COST_SECONDS = 0.5
COST_FACTOR = 50.0
COST_SIZES = (2, 16, 4, 16)

# n_heads and the size of a head: never equal, and neither the square of the other, so that no two wrong scales agree.
HEADS_AND_SIZES = ((2, 5), (2, 7), (3, 5), (3, 7), (5, 3))
# Batch, positions, n_heads, size of a head: each row has a size that a common short cut gets wrong.
EDGES = ((1, 1, 2, 3), (3, 1, 1, 4), (1, 6, 3, 5), (2, 7, 1, 5), (2, 5, 4, 1), (2, 2, 2, 2))
LAYOUTS = ("strided", "permuted")


@dataclass(frozen=True)
class Case:
    """One draw: the arguments of both functions, in the dtype in which they are sent."""

    inputs: oracle.Inputs
    dy: np.ndarray

    @property
    def dtype(self) -> str:
        """The dtype that the answers must have."""
        return str(self.inputs.x.dtype)

    def arguments(self, layout: str = "contiguous") -> list[Any]:
        """The six arguments of attention_forward as they are sent."""
        arrays = (self.inputs.x, self.inputs.w_qkv, self.inputs.b_qkv, self.inputs.w_out, self.inputs.b_out)
        return [*(Tensor(array, layout=layout) for array in arrays), self.inputs.n_heads]


def draw(
    rng: np.random.Generator, batch: int, length: int, heads: int, size: int, dtype: str, gain: float = 1.0
) -> Case:
    """Draw a case whose scores have a spread near 1: weights neither uniform nor one-hot, and little rounding."""
    width = heads * size
    drawn = (
        _spread(rng, batch, length, width),
        _spread(rng, width, 3 * width) * gain * width**-0.5,
        _spread(rng, 3 * width) * 0.5,
        _spread(rng, width, width) * width**-0.5,
        _spread(rng, width) * 0.5,
        _spread(rng, batch, length, width),
    )
    *arrays, dy = (array.astype(dtype) for array in drawn)
    return Case(oracle.Inputs(*arrays, heads), dy)


def _spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw with mean 0 and variance 1; uniform, because a normal's tails make draws that round badly."""
    return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)


def draw_telling(rng: np.random.Generator, dtype: str) -> Case:
    """Draw sizes that are all different, with several heads and sequences: no two mistakes give the same answer."""
    heads, size = HEADS_AND_SIZES[rng.integers(len(HEADS_AND_SIZES))]
    batch = int(rng.integers(2, 4))
    lengths = [length for length in range(6, 12) if length not in (batch, heads, size, heads * size)]
    return draw(rng, batch, int(rng.choice(lengths)), heads, size, dtype)


def draw_large(rng: np.random.Generator) -> Case:
    """Draw scores near 1e11, and in each row one so far above the others that rounding cannot matter.

    Some rows lie wholly below -2e10, where a large negative number in place of minus infinity shows. There is one head,
    so that the pattern of what overflows tells the ways of overflowing apart.
    """
    while True:
        case = draw(rng, 2, 6, 1, 5, "float32", gain=30.0)
        case = replace(case, inputs=replace(case.inputs, x=case.inputs.x * np.float32(1e4)))
        kept = oracle.trace(case.inputs)
        length = kept.scores.shape[-1]
        masked = np.sort(np.where(np.tril(np.ones((length, length), dtype=bool)), kept.scores, -np.inf), axis=-1)
        reach = np.abs(kept.scores).max(-1)
        # float32 rounds a score by some 1e-6 of the row's largest; a thousand times that is kept free
        clear = (masked[..., -1] - masked[..., -2] > 1e-3 * reach).all()
        if clear and (masked[..., : length - 1, -1] < -2e10).any():
            return case


def forward(submission: Submission, case: Case, layout: str = "contiguous") -> tuple[Tensor, Reference]:
    """Call attention_forward; the cache stays where it is."""
    y, cache = submission.call("attention_forward", *case.arguments(layout), opaque=(1,))
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
    return {name: answer[name] for name in oracle.GRADIENT_NAMES}


class Mistakes(Bugs):
    """Every variant of every misconception of a table alone, then any two together; computed when asked for."""

    def __init__(self, table: Mapping[str, Sequence[str]], answer: Callable[[oracle.Bugs], Any]) -> None:
        self._answer_to = answer
        self._variants = [(name, bug) for name, bugs in table.items() for bug in bugs]

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and answers, single mistakes first."""
        for name, bug in self._variants:
            yield name, partial(self._answer_to, frozenset({bug}))
        for (first, one), (second, other) in itertools.combinations(self._variants, 2):
            if first != second:
                yield f"{first}+{second}", partial(self._answer_to, frozenset({one, other}))


# ---- forward ---------------------------------------------------------------------------------------------------------


@suite.check(rung="core", points=1)
def shapes_and_types(submission: Submission, rng: np.random.Generator) -> None:
    """attention_forward returns (y, cache); y is a tensor of the shape and dtype of x, in float32 and in float64."""
    for dtype, sizes in (("float32", (2, 5, 3, 2)), ("float64", (3, 4, 2, 3))):
        case = draw(rng, *sizes, dtype)
        y, _ = forward(submission, case)
        _expect_form(y, case.inputs.x.shape, dtype)


def _expect_form(y: Any, shape: tuple[int, ...], dtype: str) -> None:
    """Values are left to the next check, which can tell what is wrong with them."""
    is_tensor = isinstance(y, Tensor) and y.kind == "torch"
    expect(is_tensor, f"y is not a tensor but a {type(y).__name__}", diagnosis="wrong-type")
    words = "y has another shape than x"
    expect(y.shape == shape, words, expected=str(list(shape)), actual=str(list(y.shape)), diagnosis="wrong-shape")
    words = "y has another dtype than x"
    expect(y.dtype == dtype, words, expected=dtype, actual=y.dtype, diagnosis="wrong-dtype")


@suite.check(rung="core", needs=[shapes_and_types], points=3)
def forward_matches(submission: Submission, rng: np.random.Generator) -> None:
    """y agrees with a float64 reference to 1e-5 of its largest element, for sizes and values drawn at random."""
    for dtype in ("float32", "float64"):
        case = draw_telling(rng, dtype)
        y, _ = forward(submission, case)
        bugs = Mistakes(oracle.FORWARD_BUGS, partial(oracle.forward, case.inputs))
        expect_close(y, oracle.forward(case.inputs), tolerance=FORWARD_TOLERANCE, what="y", dtype=dtype, bugs=bugs)


EXAMPLE = oracle.Inputs(
    x=np.array([[[1, 0, 2, -1], [0, 1, 1, 1], [2, -1, 0, 1]]], dtype=np.float32),
    w_qkv=np.array(
        [
            [1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0],
            [0, 1, 1, 0, 1, 0, 0, -1, 0, 1, 0, 0],
            [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0],
            [1, 0, 0, -1, 0, 0, 1, 1, 0, 0, 0, 1],
        ],
        dtype=np.float32,
    ),
    b_qkv=np.array([0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1], dtype=np.float32),
    w_out=np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 2, 1, 0], [-1, 0, 0, 1]], dtype=np.float32),
    b_out=np.array([0, 0, 0.5, 0], dtype=np.float32),
    n_heads=2,
)
# Worked out by hand in the brief, not by the oracle.
EXAMPLE_Y = np.array([[[1, 4, 2.5, 1], [-0.5351, 2.8560, 1.8302, 2.1440], [-0.8320, 2.4987, 1.5, 1.8346]]])


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
    bugs = Mistakes(oracle.LARGE_INPUT_BUGS, partial(oracle.forward, case.inputs))
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
    table = {misconception: oracle.BACKWARD_BUGS[misconception] for misconception in oracle.SHOWS_IN[name]}
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
    measured = (ahead - behind) / (2 * DIFFERENCE_STEP)
    claimed = sum(float((gradients[name].array * directions[name]).sum()) for name in directions) / length
    # along a random unit direction a gradient of norm g and n elements has a slope of about g / sqrt(n)
    size = sum(direction.size for direction in directions.values())
    norm = float(np.sqrt(sum((gradient.array**2).sum() for gradient in gradients.values())))
    distance = abs(measured - claimed) * np.sqrt(size) / norm if norm else np.inf
    single = oracle.forward(case.inputs)
    rounded = float(np.abs(y.array - single).max()) > 1e-9 * float(np.abs(single).max())
    expect(
        distance <= DIFFERENCE_TOLERANCE,
        "your backward pass does not agree with a small change of your own forward pass",
        expected=f"a slope of {measured:.10g}, measured on your forward pass",
        actual=f"a slope of {claimed:.10g} according to your gradients",
        diagnosis="computes-in-float32" if rounded and distance < 0.3 else None,
    )
    return {"relative_distance": float(distance)}


def _moved(case: Case, directions: Mapping[str, np.ndarray], step: float) -> Case:
    moved = {name: getattr(case.inputs, name) + step * direction for name, direction in directions.items()}
    return replace(case, inputs=replace(case.inputs, **moved))


def _loss(submission: Submission, case: Case) -> float:
    y, _ = forward(submission, case)
    expect_close(y, np.zeros_like(case.dy), tolerance=ANY_VALUE, what="y", dtype="float64")
    return float((case.dy * y.array).sum())


@suite.check(rung="core", needs=FIVE_GRADIENTS, points=1)
def backward_edge_cases(submission: Submission, rng: np.random.Generator) -> None:
    """The gradients are right at the edge sizes and for non-contiguous arguments, and finite at large inputs."""
    for sizes in EDGES:
        # in float64: with so few terms a gradient can be all cancellation, and float32 rounding looks large beside it
        _expect_gradients(submission, draw(rng, *sizes, "float64"), "contiguous", _sizes_in_words(sizes))
    for layout in LAYOUTS:
        _expect_gradients(submission, draw_telling(rng, "float32"), layout, f"{layout} arguments")
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
    _, cache = submission.call("attention_forward", *kept, n_heads, opaque=(1,))
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
