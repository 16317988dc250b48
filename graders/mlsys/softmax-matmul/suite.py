"""The hidden checks of mlsys/softmax-matmul: right at every edge, and no byte moved that need not be."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepfield_cli.grading import Submission, Suite, Tensor, Tolerance, expect, expect_close, expect_equal

from . import misconceptions, movement, oracle, speed, views
from .movement import Movement
from .views import View, spread, surrounded, whole

suite = Suite("mlsys/softmax-matmul")

# Relative to the largest element. In 3,159 draws of the shapes below the three solutions stay below 2.3e-7 in softmax
# and 4.8e-7 in the product; the nearest known mistake is above 5e-4.
FLOAT32 = Tolerance(relative=1e-5)
# Half a unit in the last place of float16 is 4.9e-4 of a value, of bfloat16 3.9e-3. An answer that is computed in
# float32 and rounded once stays below; twice as much is allowed, so that a value that is rounded down passes as well.
HALVES = {"float16": Tolerance(relative=1e-3), "bfloat16": Tolerance(relative=8e-3)}
# Costs and rooflines are a handful of float64 operations.
EXACT = Tolerance(relative=1e-9)

EXAMPLE_X = np.array([[0.0, 1.0, 2.0], [-1.0, -1.0, -1.0]])
EXAMPLE_A = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
EXAMPLE_B = np.array([[3.0, 1.0], [1.0, 0.0], [2.0, 5.0]])

# The traffic of a product may be this many times that of square tiles of 64: tiles of 32 by 32 pass, 16 by 16 do not.
TILE = 64
TRAFFIC_FACTOR = 2.0


def run(submission: Submission, name: str, *inputs: View) -> tuple[Tensor, Movement, list[Any]]:
    """Call a kernel function: its answer is a torch tensor, torch did nothing else, no lane left its tensors."""
    submission.get(name, opaque=True)  # if it is missing, this says so
    answer = submission.probe("measured", name, [given.wire() for given in inputs])
    whole_answer = isinstance(answer, list) and len(answer) == 3 and isinstance(answer[2], list)
    expect(whole_answer, "the probe's answer cannot be read", diagnosis="bad-answer")
    out, wire, changed = answer
    is_tensor = isinstance(out, Tensor) and out.kind == "torch"
    actual = type(out).__name__
    expect(is_tensor, f"{name} returned no tensor", expected="a torch tensor", actual=actual, diagnosis="wrong-type")
    moved = movement.read(wire)
    movement.expect_kernels_alone(moved.operators, name)
    return out, moved, changed


def softmax(submission: Submission, x: View) -> tuple[Tensor, Movement]:
    """Call softmax; nothing outside of x and y was touched."""
    y, moved, _ = run(submission, "softmax", x)
    movement.expect_nothing_outside(moved, _of("softmax", x))
    return y, moved


def matmul(submission: Submission, a: View, b: View) -> tuple[Tensor, Movement]:
    """Call matmul; nothing outside of a, b and c was touched."""
    c, moved, _ = run(submission, "matmul", a, b)
    movement.expect_nothing_outside(moved, _of("matmul", a, b))
    return c, moved


def _of(name: str, *inputs: View) -> str:
    return f"{name} of {' and '.join(map(_size, inputs))}"


def _size(view: View) -> str:
    return "({}, {})".format(*view.shape)


# ---- counting --------------------------------------------------------------------------------------------------------

ROOFLINE_CASES = (
    # flops, bytes moved, seconds, peak in flops per second, bandwidth in bytes per second
    (5.0e9, 8.0e9, 0.009, 19.5e12, 1.5e12),  # far left of the ridge
    (1.4e11, 1.0e8, 0.0011, 3.1e14, 2.0e12),  # far right
    (2.0**30, 2.0**26, 2.0**-4, 2.0**40, 2.0**36),  # the ridge itself: 16 flops per byte on both sides
    (2.0**30, 2.0**22, 2.0**-8, 2.0**40, 2.0**36),
    (2.0**20, 2.0**24, 2.0**-8, 2.0**40, 2.0**36),
    (9.0, 4.0, 2.0, 16.0, 3.0),  # so small that a rate without its fraction shows
)


@suite.check(rung="core", points=2)
def roofline_matches(submission: Submission, rng: np.random.Generator) -> None:
    """roofline is right for a memory-bound kernel, for a compute-bound one and at the ridge."""
    drawn = [tuple(case * rng.uniform(0.5, 1.0) for case in ROOFLINE_CASES[index]) for index in (0, 1)]
    for case in [*drawn, *ROOFLINE_CASES]:
        right = oracle.roofline(*case)
        answer = submission.call("roofline", *case)
        numbers = {name: value for name, value in right.items() if name != "bound"}
        expect(isinstance(answer, dict), "roofline returned no dictionary", diagnosis="wrong-type")
        expect("bound" in answer, 'the dictionary has no "bound"', diagnosis="missing-key")
        bugs = misconceptions.roofline_mistakes(case)
        for name in numbers:
            expect(name in answer, f'the dictionary has no "{name}"', diagnosis="missing-key")
        told = {name: _plain(answer[name]) for name in numbers}
        _expect_numbers(told, numbers, "roofline", bugs)
        other = {"compute": "memory", "memory": "compute"}[right["bound"]]
        expect_equal(answer["bound"], right["bound"], what="bound", bugs={"bound-swapped": other})


@suite.check(rung="core", points=1)
def costs_match(submission: Submission, rng: np.random.Generator) -> None:
    """softmax_cost and matmul_cost count operations and bytes as the brief does."""
    for itemsize in (4, 2):
        rows, columns, inner = (int(number) for number in rng.choice(np.arange(100, 2000), 3, replace=False))
        answer = submission.call("softmax_cost", rows, columns, itemsize)
        right = oracle.softmax_cost(rows, columns, itemsize)
        bugs = misconceptions.softmax_cost_mistakes(rows, columns, itemsize)
        _expect_costs(answer, right, "softmax_cost", bugs)
        answer = submission.call("matmul_cost", rows, columns, inner, itemsize)
        right = oracle.matmul_cost(rows, columns, inner, itemsize)
        bugs = misconceptions.matmul_cost_mistakes(rows, columns, inner, itemsize)
        _expect_costs(answer, right, "matmul_cost", bugs)


def _expect_costs(answer: Any, right: dict[str, int], what: str, bugs: misconceptions.Variants) -> None:
    expect(isinstance(answer, dict), f"{what} returned no dictionary", diagnosis="wrong-type")
    for name in right:
        expect(name in answer, f'the dictionary of {what} has no "{name}"', diagnosis="missing-key")
    _expect_numbers({name: _plain(answer[name]) for name in right}, right, what, bugs)


def _expect_numbers(told: dict[str, Any], right: Any, what: str, bugs: misconceptions.Variants) -> None:
    """Each number within EXACT of the right one; if not, look whether all of them together are a known mistake."""
    for name, value in right.items():
        number = told[name]
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        words = f'"{name}" of {what} is no number'
        expect(is_number, words, expected=f"{value:g}", actual=type(number).__name__, diagnosis="wrong-type")
    expect_close(
        told,
        {name: np.asarray(float(value)) for name, value in right.items()},
        tolerance=EXACT,
        what=what,
        bugs=bugs,
    )


def _plain(value: Any) -> Any:
    """A number that numpy or torch made is a number."""
    if isinstance(value, Tensor) and value.array.size == 1 and value.array.dtype.kind in "iuf":
        return value.array.reshape(()).item()
    return value


# ---- softmax ---------------------------------------------------------------------------------------------------------


@suite.check(rung="core", points=1)
def softmax_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of softmax comes out, made by a kernel of yours."""
    y, moved = softmax(submission, whole(EXAMPLE_X))
    bugs = misconceptions.softmax_mistakes(EXAMPLE_X)
    right = oracle.softmax(EXAMPLE_X)
    expect_close(y, right, tolerance=FLOAT32, what="y of the worked example", dtype="float32", bugs=bugs)
    movement.expect_made_by_kernels(moved, "softmax")


@suite.check(rung="core", needs=[softmax_example], points=2)
def softmax_matches(submission: Submission, rng: np.random.Generator) -> None:
    """y is right for any number of rows and columns: one row, one column, widths that are no power of two."""
    for rows, columns in ((4, 16), (7, 13), (1, 100), (9, 1), (3, 200), (70, 5)):
        x = whole(spread(rng, rows, columns, size=3.0))
        y, moved = softmax(submission, x)
        bugs = misconceptions.softmax_mistakes(x.array)
        expect_close(y, oracle.softmax(x.array), tolerance=FLOAT32, what=f"y of {_size(x)}", dtype="float32", bugs=bugs)
        movement.expect_made_by_kernels(moved, "softmax")


@suite.check(rung="core", needs=[softmax_matches], points=1)
def softmax_long_rows(submission: Submission, rng: np.random.Generator) -> None:
    """Rows of up to 8192 columns come out whole."""
    for rows, columns in ((3, 1025), (2, 5000), (2, 8192)):
        x = whole(spread(rng, rows, columns, size=3.0))
        y, moved = softmax(submission, x)
        out = moved.of("out")
        expect(
            out.distinct_stored == out.size,
            f"only a part of y of {_size(x)} was ever stored",
            expected=f"{rows * columns} elements",
            actual=f"{out.distinct_stored // 4} elements",
            diagnosis="one-column-block",
        )
        expect_close(y, oracle.softmax(x.array), tolerance=FLOAT32, what=f"y of {_size(x)}", dtype="float32")


@suite.check(rung="core", needs=[softmax_matches], points=1)
def softmax_strides(submission: Submission, rng: np.random.Generator) -> None:
    """Transposed inputs and slices of larger tensors give the same y, without a copy by torch."""
    for make in (views.sliced, views.transposed, views.stepped):
        x = make(rng, 6, 21)
        y, moved, _ = run(submission, "softmax", x)
        bugs = misconceptions.softmax_stride_mistakes(x)
        what = f"y of a {make.__name__} x"
        expect_close(y, oracle.softmax(x.array), tolerance=FLOAT32, what=what, dtype="float32", bugs=bugs)
        movement.expect_nothing_outside(moved, f"softmax of a {make.__name__} x")


@suite.check(rung="core", needs=[softmax_matches], points=2)
def softmax_large_values(submission: Submission, rng: np.random.Generator) -> None:
    """Values around 1e4 and -1e4, and rows of equal values, give a finite and right y."""
    columns = 37
    rows = [
        1e4 * rng.standard_normal(columns),
        -1e4 - 3.0 * rng.random(columns),
        1e4 + 3.0 * rng.random(columns),
        np.full(columns, 1e4),
        np.full(columns, -1e4),
        np.zeros(columns),
    ]
    x = whole(np.array(rows))
    y, _ = softmax(submission, x)
    bugs = misconceptions.large_value_mistakes(x.array)
    expect_close(y, oracle.softmax(x.array), tolerance=FLOAT32, what="y", dtype="float32", bugs=bugs)


@suite.check(rung="core", needs=[softmax_large_values], points=1)
def softmax_infinities(submission: Submission, rng: np.random.Generator) -> None:
    """-inf gets the weight 0, however many there are; rows without a softmax become NaN and disturb no other."""
    x = spread(rng, 7, 300, size=3.0)
    x[0, rng.random(300) < 0.3] = -np.inf
    x[1, :290] = -np.inf
    x[2, 20:] = -np.inf
    x[3] = -np.inf
    x[3, 150] = -1e4
    x[4, 17] = np.inf
    x[5] = -np.inf
    given = whole(x)
    y, _ = softmax(submission, given)
    right = oracle.softmax(given.array)
    expect(y.shape == right.shape, "y has another shape than x", actual=str(list(y.shape)), diagnosis="wrong-shape")
    defined = Tensor(y.array[[0, 1, 2, 3, 6]], dtype=y.dtype)
    expect_close(defined, right[[0, 1, 2, 3, 6]], tolerance=FLOAT32, what="y of rows with -inf", dtype="float32")
    expect(
        bool(np.isnan(y.array[4, 17]) and np.isnan(y.array[5]).all()),
        "a row with +inf, or with -inf only, has no softmax, and y holds a number there",
        expected="NaN where +inf was, and NaN throughout where all was -inf",
        actual=f"{y.array[4, 17]}, and {int(np.isnan(y.array[5]).sum())} of 300 NaN",
    )


@suite.check(rung="core", needs=[softmax_large_values], points=1)
def softmax_half(submission: Submission, rng: np.random.Generator) -> None:
    """float16 and bfloat16 come back in their own dtype, and as exact as one rounding leaves them."""
    for dtype, tolerance in HALVES.items():
        drawn = spread(rng, 5, 700, size=8.0)
        drawn[1] *= 7e3
        x = whole(drawn, dtype)
        y, _ = softmax(submission, x)
        expect_close(y, oracle.softmax(x.array), tolerance=tolerance, what=f"y in {dtype}", dtype=dtype)


@suite.check(rung="core", needs=[softmax_matches], points=3)
def softmax_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """softmax moves exactly 2·M·N elements: each one of x is read once, each one of y is written once."""
    cases = [whole(spread(rng, 70, 900)), whole(spread(rng, 2, 8192)), whole(spread(rng, 5, 1000), "float16")]
    for x in [*cases, views.transposed(rng, 21, 40)]:
        _, moved = softmax(submission, x)
        rows, columns = x.shape
        itemsize = 2 if x.dtype == "float16" else 4
        elements = rows * columns
        _expect_elements(moved.loaded // itemsize, elements, "reads", x, "reads-x-twice")
        _expect_elements(moved.stored // itemsize, elements, "writes", x, "writes-y-twice")
        fits = moved.largest_block <= movement.LARGEST_BLOCK
        expect(fits, *_too_large(f"softmax of {_size(x)}", moved), diagnosis="block-too-large")
    return {"softmax_elements": (moved.loaded + moved.stored) / itemsize / elements}


def _expect_elements(moved: int, elements: int, verb: str, x: View, diagnosis: str) -> None:
    expect(
        moved == elements,
        f"softmax of {_size(x)} {verb} {moved} elements",
        expected=f"{elements}, each once",
        actual=f"{moved / elements:.3g} times as many",
        diagnosis=diagnosis if moved >= 2 * elements else None,
    )


def _too_large(what: str, moved: Movement) -> tuple[str, None, str, str]:
    words = f"{what} loads or stores a block that no GPU can hold"
    return words, None, f"at most {movement.LARGEST_BLOCK} elements at once", f"{moved.largest_block} elements"


# ---- product ---------------------------------------------------------------------------------------------------------


@suite.check(rung="core", points=2)
def matmul_matches(submission: Submission, rng: np.random.Generator) -> None:
    """c is right for square matrices whose sizes are multiples of 128, of several tiles each."""
    for size, inner in ((128, 256), (256, 64)):
        a, b = whole(spread(rng, size, inner)), whole(spread(rng, inner, size))
        c, moved = matmul(submission, a, b)
        if moved.of("out").distinct_stored == 0:
            _explain_why_nothing_is_stored(submission)
        bugs = misconceptions.matmul_mistakes(a.array, b.array)
        what = f"c of {_size(a)} and {_size(b)}"
        right = oracle.matmul(a.array, b.array)
        expect_close(c, right, tolerance=FLOAT32, what=what, dtype="float32", bugs=bugs)
        movement.expect_made_by_kernels(moved, "matmul")


def _explain_why_nothing_is_stored(submission: Submission) -> None:
    """For an even M, ``m < M & (n < N)`` lets nothing through; for an odd M, one row."""
    rows, columns = 129, 128
    _, moved, _ = run(submission, "matmul", whole(np.ones((rows, 16))), whole(np.ones((16, columns))))
    expect(
        moved.stored != columns * 4,
        f"no element of c is stored when M is even, and one row when M is {rows}",
        expected="a mask of two comparisons, each in parentheses",
        diagnosis="mask-precedence",
    )


@suite.check(rung="core", needs=[matmul_matches], points=1)
def matmul_strides(submission: Submission, rng: np.random.Generator) -> None:
    """Transposed inputs and slices of larger tensors give the same c, without a copy by torch."""
    makers = (
        (views.transposed, views.sliced),
        (views.sliced, views.transposed),
        (views.stepped, views.stepped),
    )
    for first, second in makers:
        a, b = first(rng, 128, 64), second(rng, 64, 128)
        c, moved, _ = run(submission, "matmul", a, b)
        bugs = misconceptions.matmul_stride_mistakes(a, b)
        what = f"c of a {first.__name__} a and a {second.__name__} b"
        expect_close(c, oracle.matmul(a.array, b.array), tolerance=FLOAT32, what=what, dtype="float32", bugs=bugs)
        movement.expect_nothing_outside(moved, f"matmul of a {first.__name__} a and a {second.__name__} b")


@suite.check(rung="core", needs=[matmul_matches], points=1)
def matmul_wide_and_tall(submission: Submission, rng: np.random.Generator) -> None:
    """c is made whole when it is three times as wide as tall, and when it is three times as tall as wide."""
    for rows, columns in ((128, 384), (384, 128)):
        a, b = whole(spread(rng, rows, 32)), whole(spread(rng, 32, columns))
        c, moved = matmul(submission, a, b)
        out = moved.of("out")
        expect(
            out.distinct_stored == out.size,
            f"only a part of c, {rows} by {columns}, was ever stored",
            expected=f"{rows * columns} elements",
            actual=f"{out.distinct_stored // 4} elements",
            diagnosis="program-id-swapped",
        )
        what = f"c of {_size(a)} and {_size(b)}"
        expect_close(c, oracle.matmul(a.array, b.array), tolerance=FLOAT32, what=what, dtype="float32")


@suite.check(rung="core", needs=[matmul_strides], points=1)
def matmul_k_remainder(submission: Submission, rng: np.random.Generator) -> None:
    """K need not be a multiple of anything; what lies behind the last column of a and the last row of b is not read."""
    for inner in (256, 45, 1):
        a = surrounded(spread(rng, 128, inner), 0, 140)
        b = surrounded(spread(rng, inner, 128), 140, 0)
        c, moved, _ = run(submission, "matmul", a, b)
        if inner == 256:  # every tile divides it: what lies outside here has another reason
            movement.expect_nothing_outside(moved, _of("matmul", a, b))
        read = moved.outside.loaded + moved.of("in0").beyond + moved.of("in1").beyond
        expect(
            read == 0,
            f"with K = {inner}, {read} bytes behind the last column of a or the last row of b are loaded",
            expected="a mask along K, or a checked boundary",
            diagnosis="k-remainder-not-masked",
        )
        bugs = misconceptions.k_remainder_mistakes(a.array, b.array)
        right = oracle.matmul(a.array, b.array)
        expect_close(c, right, tolerance=FLOAT32, what=f"c for K = {inner}", dtype="float32", bugs=bugs)


@suite.check(rung="core", needs=[matmul_k_remainder, matmul_wide_and_tall], points=2)
def matmul_odd_sizes(submission: Submission, rng: np.random.Generator) -> None:
    """c is right, and nothing outside of it is stored, for sizes that no tile divides: one row, one column, primes."""
    small = ((49, 33, 64), (1, 1, 1), (5, 7, 3), (1, 100, 50), (131, 1, 17), (17, 19, 211))
    # ten tiles of 64 in a column, and in a row: where tiles are made in groups of eight, the second group is lower
    for rows, columns, inner in (*small, (577, 67, 5), (67, 577, 5)):
        a, b = whole(spread(rng, rows, inner)), whole(spread(rng, inner, columns))
        c, moved, _ = run(submission, "matmul", a, b)
        _expect_no_store_over_the_edge(moved, rows, columns)
        movement.expect_nothing_outside(moved, _of("matmul", a, b))
        what = f"c of {_size(a)} and {_size(b)}"
        expect_close(c, oracle.matmul(a.array, b.array), tolerance=FLOAT32, what=what, dtype="float32")


def _expect_no_store_over_the_edge(moved: Movement, rows: int, columns: int) -> None:
    """Count the lanes that were stored, and compare with what mistaken masks let through."""
    lanes = (moved.of("out").stored + moved.outside.stored) // 4
    known = misconceptions.stored_lanes(rows, columns).get(lanes)
    atomics = moved.of("out").atomics + moved.outside.atomics
    whole_answer = moved.of("out").distinct_stored == moved.of("out").size
    if known is None or atomics or (whole_answer and moved.outside.stored == 0):
        return
    expect(
        False,
        f"when c is {rows} by {columns}, {lanes} elements are stored",
        expected=f"{rows * columns}",
        diagnosis=known,
    )


@suite.check(rung="core", needs=[matmul_odd_sizes], points=1)
def matmul_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of matmul comes out, made by a kernel of yours."""
    c, moved = matmul(submission, whole(EXAMPLE_A), whole(EXAMPLE_B))
    right = oracle.matmul(EXAMPLE_A, EXAMPLE_B)
    expect_close(c, right, tolerance=FLOAT32, what="c of the worked example", dtype="float32")
    movement.expect_made_by_kernels(moved, "matmul")


@suite.check(rung="core", needs=[matmul_matches], points=2)
def matmul_half(submission: Submission, rng: np.random.Generator) -> None:
    """float16 and bfloat16 come back in their own dtype; sums are kept in float32, where they do not overflow."""
    a, b = _passing_through_eighty_thousand(rng)
    c, _ = matmul(submission, a, b)
    expect(
        c.dtype != "float16" or bool(np.isfinite(c.array).all()),
        "a sum that passes through 80,000 on its way to a small number is not finite",
        expected="an accumulator in float32: float16 ends at 65,504",
        diagnosis="accumulates-in-float16",
    )
    right = oracle.matmul(a.array, b.array)
    expect_close(c, right, tolerance=HALVES["float16"], what="c in float16", dtype="float16")
    for dtype, tolerance in HALVES.items():
        a, b = whole(spread(rng, 40, 200), dtype), whole(spread(rng, 200, 24), dtype)
        c, _ = matmul(submission, a, b)
        expect_close(c, oracle.matmul(a.array, b.array), tolerance=tolerance, what=f"c in {dtype}", dtype=dtype)


def _passing_through_eighty_thousand(rng: np.random.Generator) -> tuple[View, View]:
    """float16 matrices whose products are positive over the first half of K, and negative over the second."""
    inner = 1024
    a, b = rng.uniform(10.0, 15.0, (16, inner)), rng.uniform(10.0, 15.0, (inner, 16))
    b[inner // 2 :] *= -1.0
    return whole(a, "float16"), whole(b, "float16")


@suite.check(rung="core", needs=[matmul_matches], points=3)
def matmul_traffic(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """matmul moves at most twice what square tiles of 64 move; the larger c, the less for each operation."""
    reuse: dict[int, float] = {}
    for size, inner in ((16, 16), (128, 128), (320, 64)):
        a, b = whole(spread(rng, size, inner)), whole(spread(rng, inner, size))
        _, moved = matmul(submission, a, b)
        elements = (moved.loaded + moved.stored) / 4
        reuse[size] = 2.0 * size * size * inner / (moved.loaded / 4 or 1.0)
        expect(moved.largest_block <= movement.LARGEST_BLOCK, *_too_large("matmul", moved), diagnosis="block-too-large")
        allowed = TRAFFIC_FACTOR * oracle.tiled_elements(size, size, inner, TILE)
        expect(
            elements <= allowed or size < 128,
            f"{_of('matmul', a, b)} moves {elements:.0f} elements",
            expected=f"at most {allowed:.0f}, twice what square tiles of {TILE} move",
            actual=f"as if tiles were {reuse[size]:.0f} by {reuse[size]:.0f}",
            diagnosis="no-tiles" if reuse[size] < 4.0 else "tiles-too-small",
        )
    expect(
        reuse[320] >= 2.0 * reuse[16],
        "the traffic per operation does not fall when c leaves room for larger tiles",
        expected=f"for c of 320 by 320 at most half of what it is for 16 by 16, {1 / reuse[16]:.3f} elements",
        actual=f"{1 / reuse[320]:.3f}",
        diagnosis="tiles-too-small",
    )
    return {"effective_tile": reuse[320]}


@suite.check(rung="core", needs=[softmax_matches, matmul_matches], points=1)
def inputs_untouched(submission: Submission, rng: np.random.Generator) -> None:
    """Neither function changes its arguments, nor what surrounds them in memory."""
    for name, inputs in (
        ("softmax", (views.sliced(rng, 9, 30),)),
        ("matmul", (views.sliced(rng, 20, 30), views.transposed(rng, 30, 18))),
    ):
        _, _, changed = run(submission, name, *inputs)
        expect(not changed, f"{name} changed argument {changed}", diagnosis="mutates-input")


# ---- on a GPU --------------------------------------------------------------------------------------------------------


@suite.check(rung="paper", points=3, timeout_seconds=600.0, exclusive=True)
def softmax_speed(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """On 8192 by 8192 float32, softmax is 1.5 times as fast as unfused torch, and reaches 85 % of copy bandwidth."""
    race = speed.race_softmax(submission, speed.ON_GPU)
    return speed.judge_softmax(race, speed.find_peaks(submission, speed.ON_GPU), speed.ON_GPU)


@suite.check(rung="paper", points=3, timeout_seconds=600.0, exclusive=True)
def matmul_speed(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """On 4096 by 4096 float16, matmul reaches 60 % of the library's rate."""
    return speed.judge_matmul(speed.race_matmul(submission, speed.ON_GPU), speed.ON_GPU)


@suite.check(rung="paper", needs=[softmax_speed, matmul_speed], points=2, timeout_seconds=600.0, exclusive=True)
def roofline_statement(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Your rooflines of both kernels agree to a fifth with a second measurement; the peaks are measured, too."""
    return state(submission, speed.ON_GPU)


def state(submission: Submission, plan: speed.Plan) -> dict[str, float]:
    """Measure everything twice, and ask the submission what it says of the first time."""
    peaks = speed.find_peaks(submission, plan)
    races = {"softmax": speed.race_softmax, "matmul": speed.race_matmul}
    fractions = {}
    for name, measure in races.items():
        first, second = measure(submission, plan), measure(submission, plan)
        fraction = speed.judge_statement(submission, name, first, second, peaks, plan)
        fractions[f"{name}_fraction_of_roof"] = fraction
    return fractions
