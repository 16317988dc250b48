"""The comparisons: gates before values, nothing broadcast, no answer that breaks them, every failure in few lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Bugs, Reference, Tensor, Tolerance, expect, expect_close, expect_equal
from deepfield_cli.grading.expectations import ValueMismatch, expect_unchanged

TOLERANCE = Tolerance(relative=1e-6)
MOST_LINES = 12

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
NUMBERS = st.floats(-1e6, 1e6)
FLOAT_ARRAYS = arrays.arrays(np.float64, SHAPES, elements=NUMBERS)
ANY_FLOAT_ARRAYS = arrays.arrays(np.float64, SHAPES, elements=st.floats(width=64))
WIRE_DTYPES = ["bool", "int8", "int64", "uint8", "uint64", "float16", "float32", "float64", "complex64", "complex128"]


def a_reference() -> Reference:
    """A value that stayed in the worker."""
    return Reference(cast(Any, None), 7)


def wire_tensors() -> st.SearchStrategy[Tensor]:
    """Whatever array a submission can send."""
    anything = st.sampled_from(WIRE_DTYPES).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES))
    return st.builds(Tensor, anything, kind=st.sampled_from(["torch", "numpy"]))


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63, -(2**64)])
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
)
KEYS = st.text(max_size=3) | st.integers(-3, 3) | st.booleans()
LEAVES = PLAIN | wire_tensors() | st.builds(a_reference)
ANSWERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
PLAIN_VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def failure_of(actual: Any, expected: Any, **options: Any) -> CheckFailed:
    """The failure of a comparison that has to fail."""
    with pytest.raises(CheckFailed) as caught:
        expect_close(actual, expected, **{"tolerance": TOLERANCE, **options})
    return caught.value


def assert_readable(failure: CheckFailed) -> None:
    for text in (failure.rationale, failure.expected or "", failure.actual or ""):
        assert len(text.splitlines()) <= MOST_LINES
        assert len(text) < 2000


# What passes


@given(ANY_FLOAT_ARRAYS)
def test_an_array_is_close_to_itself(values: np.ndarray) -> None:
    expect_close(Tensor(values), values, tolerance=Tolerance(relative=0.0))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_close_to_itself(value: float) -> None:
    expect_close(value, value, tolerance=Tolerance(relative=0.0))


@given(FLOAT_ARRAYS)
def test_noise_within_the_tolerance_passes(values: np.ndarray) -> None:
    expect_close(Tensor(values * (1 + 0.4e-6)), values, tolerance=TOLERANCE)


def test_integers_pass_where_any_number_will_do() -> None:
    expect_close(3, 3.0, tolerance=TOLERANCE)
    expect_close(Tensor(np.array([1, 2])), np.array([1.0, 2.0]), tolerance=TOLERANCE)


def test_the_scale_of_the_tolerance_is_that_of_the_whole_array() -> None:
    expected = np.array([1e6, 1e-6])
    expect_close(Tensor(np.array([1e6, 0.5])), expected, tolerance=TOLERANCE)
    assert failure_of(Tensor(np.array([1e6, 1.5])), expected).expected == "[1]: 1e-06"


def test_extra_keys_are_tolerated() -> None:
    expect_close({"dx": 1.0, "more": None}, {"dx": 1.0}, tolerance=TOLERANCE)


# Gates, in order


@given(ANSWERS)
def test_no_answer_breaks_the_comparison_of_numbers(answer: Any) -> None:
    for bugs in (None, {"zeros": np.zeros((2, 3)), "nan": np.full((2, 3), np.nan), "number": 0.5, "none": None}):
        assert_readable(failure_of(answer, np.full((2, 3), 0.123456), bugs=bugs))


@given(ANSWERS)
def test_no_answer_breaks_the_comparison_of_several_numbers(answer: Any) -> None:
    failure = failure_of(answer, {"dx": np.full((2, 3), 0.123456), "dw": 7.5})
    assert_readable(failure)


EXTREMES = st.sampled_from([0.0, 1e-320, 1e-30, 1.0, 1e30, 1.7e308, -1.7e308, math.inf, -math.inf, math.nan])


@given(arrays.arrays(np.float64, (2, 3), elements=EXTREMES), arrays.arrays(np.float64, (2, 3), elements=EXTREMES))
def test_extreme_values_break_nothing(answer: np.ndarray, expected: np.ndarray) -> None:
    bugs = {"other-sign": -expected, "transposed": expected.T, "nothing": np.zeros((2, 3))}
    try:
        expect_close(Tensor(answer), expected, tolerance=TOLERANCE, bugs=bugs)
    except CheckFailed as failure:
        assert_readable(failure)


@given(st.dictionaries(st.sampled_from(["dx", "dw"]), LEAVES, min_size=2))
def test_no_part_of_an_answer_breaks_the_comparison(answer: dict[str, Any]) -> None:
    assert_readable(failure_of(answer, {"dx": np.full((2, 3), 0.123456), "dw": np.full((1,), 7.5)}))


@given(arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_shapes_are_never_broadcast(shapes: Any) -> None:
    first, second = shapes.input_shapes
    if first == second:
        expect_close(Tensor(np.ones(first)), np.ones(second), tolerance=TOLERANCE)
    else:
        assert failure_of(Tensor(np.ones(first)), np.ones(second)).diagnosis == "wrong-shape"


@pytest.mark.parametrize("shape", [(1,), (1, 1), (0,), (0, 3)])
def test_a_zero_dimensional_array_is_nothing_else(shape: tuple[int, ...]) -> None:
    assert failure_of(Tensor(np.ones(shape)), np.float64(1.0)).diagnosis == "wrong-shape"
    assert failure_of(Tensor(np.ones(())), np.ones(shape)).diagnosis == "wrong-shape"
    expect_close(Tensor(np.ones(())), 1.0, tolerance=TOLERANCE)


def test_empty_arrays_of_other_shapes_are_not_equal() -> None:
    expect_close(Tensor(np.ones((0, 3))), np.ones((0, 3)), tolerance=TOLERANCE)
    assert failure_of(Tensor(np.ones((3, 0))), np.ones((0, 3))).diagnosis == "wrong-shape"


@pytest.mark.parametrize("answer", [None, True, "3.0", b"", [3.0], (3.0,), {"y": 3.0}, a_reference()])
def test_only_tensors_and_numbers_are_numbers(answer: Any) -> None:
    assert failure_of(answer, 3.0).diagnosis == "wrong-type"


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "bool"])
def test_another_dtype_than_promised_fails_even_if_the_values_are_right(dtype: str) -> None:
    failure = failure_of(Tensor(np.ones(3, dtype=dtype)), np.ones(3), dtype="float32")
    assert (failure.diagnosis, failure.expected, failure.actual) == ("wrong-dtype", "float32", dtype)


def test_bfloat16_is_told_by_its_own_name() -> None:
    failure = failure_of(Tensor(np.ones(3, dtype=np.float32), dtype="bfloat16"), np.ones(3), dtype="float32")
    assert failure.actual == "bfloat16"


@pytest.mark.parametrize("dtype", ["bool", "complex64"])
def test_neither_truth_nor_complex_values_are_floats(dtype: str) -> None:
    assert failure_of(Tensor(np.ones(3, dtype=dtype)), np.ones(3)).diagnosis == "wrong-dtype"


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_named_with_their_place(strange: float) -> None:
    values = np.ones((2, 2))
    values[1, 0] = strange
    failure = failure_of(Tensor(values), np.ones((2, 2)))
    assert failure.diagnosis == "not-finite"
    assert failure.actual == f"{strange} at [1, 0]"


@pytest.mark.parametrize("answer", [10**400, -(10**5000)], ids=["large", "too-large-to-print"])
def test_an_integer_beyond_every_float_is_a_wrong_answer_and_no_fault_of_the_grader(answer: int) -> None:
    assert failure_of(answer, 1.0).diagnosis == "not-finite"


def test_nan_equals_nan_only_where_it_is_expected() -> None:
    expected = np.array([np.nan, np.inf, 1.0])
    expect_close(Tensor(expected), expected, tolerance=TOLERANCE)
    for wrong in ([1.0, np.inf, 1.0], [np.nan, -np.inf, 1.0], [np.nan, 5.0, 1.0], [np.inf, np.inf, 1.0]):
        failure_of(Tensor(np.array(wrong)), expected)


def test_gates_come_in_order() -> None:
    nan_of_wrong_everything = Tensor(np.full((3,), np.nan, dtype=np.float16))
    diagnoses = [
        failure_of("no array", np.ones(2), dtype="float32").diagnosis,
        failure_of(nan_of_wrong_everything, np.ones(2), dtype="float32").diagnosis,
        failure_of(nan_of_wrong_everything, np.ones(3), dtype="float32").diagnosis,
        failure_of(nan_of_wrong_everything, np.ones(3), dtype="float16").diagnosis,
    ]
    assert diagnoses == ["wrong-type", "wrong-shape", "wrong-dtype", "not-finite"]


@pytest.mark.parametrize("answer", [None, 1.0, [1.0], Tensor(np.ones(1)), a_reference()])
def test_several_outputs_have_to_come_as_a_dict(answer: Any) -> None:
    assert failure_of(answer, {"dx": 1.0}).diagnosis == "wrong-type"


def test_a_missing_key_is_named_with_those_that_came() -> None:
    failure = failure_of({"dx": 1.0}, {"dx": 1.0, "dw": 1.0}, what="the gradients")
    assert failure.diagnosis == "missing-key"
    assert (failure.rationale, failure.expected, failure.actual) == ("the gradients has no 'dw'", "dx, dw", "dx")


def test_of_several_outputs_the_first_wrong_one_is_named() -> None:
    failure = failure_of({"dx": 1.0, "dw": 2.0, "db": 9.0}, {"dx": 1.0, "dw": 1.0, "db": 1.0})
    assert failure.rationale.startswith("dw:")


# Values


@given(FLOAT_ARRAYS.filter(lambda values: values.size > 0), st.data())
def test_one_element_beyond_the_tolerance_fails(values: np.ndarray, data: st.DataObject) -> None:
    off = values.copy()
    place = data.draw(st.integers(0, values.size - 1))
    off.flat[place] += 10 * TOLERANCE.allowed(values) + 1.0
    assert_readable(failure_of(Tensor(off), values))


def test_the_worst_element_comes_first() -> None:
    expected = np.zeros(100)
    off = np.linspace(1.0, 2.0, 100)
    off[41] = -9.0
    failure = failure_of(Tensor(off), expected, tolerance=Tolerance(relative=0.0, absolute=0.1))
    assert failure.actual is not None
    assert failure.actual.splitlines()[:2] == ["[41]: -9", "[99]: 2"]
    assert failure.expected is not None
    assert failure.expected.splitlines()[0] == "[41]: 0"
    assert "100 of 100 values are off by more than 1.0e-01, the worst by 9.0e+00" in failure.rationale


def test_what_was_compared_goes_with_the_failure() -> None:
    answer = {"dx": Tensor(np.zeros(2)), "dw": 3.0}
    failure = failure_of(answer, {"dx": [1.0, 2.0], "dw": 3.0})
    assert isinstance(failure, ValueMismatch)
    assert failure.expected_values is not None
    assert failure.actual_values is not None
    np.testing.assert_array_equal(failure.expected_values["dx"], [1.0, 2.0])
    assert failure.actual_values["dx"] is answer["dx"]


def test_what_was_compared_goes_with_a_gate_s_failure_and_with_a_diagnosed_one() -> None:
    for answer, bugs in ((Tensor(np.zeros(2)), None), (6.0, {"double": 6.0})):
        failure = failure_of(answer, 3.0, what="loss", bugs=bugs)
        assert isinstance(failure, ValueMismatch)
        assert dict(failure.expected_values or {}) == {"loss": 3.0}
        assert (failure.actual_values or {})["loss"] is answer


# Diagnosis


def test_an_answer_of_a_known_mistake_is_named_instead_of_its_numbers() -> None:
    failure = failure_of(6.0, 3.0, bugs={"other": 5.0, "double": lambda: 6.0})
    assert (failure.diagnosis, failure.expected, failure.actual) == ("double", None, None)


def test_bugs_are_not_computed_for_a_right_answer() -> None:
    def never(_mistakes: frozenset[str]) -> Any:
        raise AssertionError("computed for a right answer")

    expect_close(1.0, 1.0, tolerance=TOLERANCE, bugs=Bugs(never, ["one"]))
    expect_equal([1], [1], bugs=Bugs(never, ["one"]))


def test_bugs_are_tried_at_the_shape_and_the_finiteness_gates() -> None:
    column = np.ones((3, 1))
    assert failure_of(Tensor(column), np.ones(3), bugs={"column": column}).diagnosis == "column"
    spoilt = np.array([np.nan, 1.0, 1.0])
    assert failure_of(Tensor(spoilt), np.ones(3), bugs={"row-of-nan": spoilt}).diagnosis == "row-of-nan"
    other = np.array([1.0, np.nan, 1.0])
    assert failure_of(Tensor(spoilt), np.ones(3), bugs={"row-of-nan": other}).diagnosis == "not-finite"


def test_a_mistake_that_cannot_be_told_from_the_right_answer_is_not_named() -> None:
    nearly = 1.0 + 2e-6
    assert failure_of(1.0 + 3e-6, 1.0, bugs={"nearly": nearly}).diagnosis is None


def test_a_mistake_has_to_explain_every_output() -> None:
    expected = {"dx": np.ones(3), "dw": np.ones(3)}
    answer = {"dx": Tensor(np.arange(3.0) + 5), "dw": Tensor(np.arange(3.0) * 2)}
    half = {"half": {"dx": np.arange(3.0) + 5, "dw": np.ones(3)}}
    assert failure_of(answer, expected, bugs=half).diagnosis is None
    whole = {"whole": {"dx": np.arange(3.0) + 5, "dw": np.arange(3.0) * 2}}
    assert failure_of(answer, expected, bugs=whole).diagnosis == "whole"


def test_a_mistake_that_gives_no_answer_for_these_inputs_is_passed_over() -> None:
    assert failure_of(6.0, 3.0, bugs={"not-here": lambda: None, "double": 6.0}).diagnosis == "double"


# Exact comparisons


def same(actual: Any, expected: Any) -> bool:
    """An independent notion of exact equality: the same type and value all the way down."""
    if isinstance(actual, tuple) and isinstance(expected, list):
        actual = list(actual)
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(same(*pair) for pair in zip(actual, expected, strict=True))
    if isinstance(expected, Mapping):
        return set(actual) == set(expected) and all(same(actual[key], expected[key]) for key in expected)
    return bool(actual == expected)


@given(ANSWERS, PLAIN_VALUES)
def test_no_answer_breaks_the_exact_comparison(answer: Any, expected: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_equal(answer, expected)
        assert same(answer, expected) or _has_tensor(answer)
        raise CheckFailed("equal")
    assert_readable(caught.value)


def _has_tensor(answer: Any) -> bool:
    """An integer array counts as its list, which ``same`` knows nothing of."""
    if isinstance(answer, Tensor):
        return True
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list | tuple) else ()
    return any(_has_tensor(part) for part in parts)


@given(PLAIN_VALUES, PLAIN_VALUES)
def test_exact_comparison_agrees_with_equality_of_types_and_values(answer: Any, expected: Any) -> None:
    try:
        expect_equal(answer, expected)
    except CheckFailed:
        assert not same(answer, expected)
    else:
        assert same(answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (True, 1),
        (1, True),
        (1.0, 1),
        ([1, True], [1, 1]),
        ({"a": True}, {"a": 1}),
        ({"a": [1.0]}, {"a": [1]}),
        ("1", 1),
        (b"a", "a"),
        ([], None),
        (0, None),
    ],
)
def test_values_of_another_type_are_not_equal(answer: Any, expected: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_equal(answer, expected)
    assert_readable(caught.value)


def test_tuples_pass_for_lists_and_integer_arrays_for_integers() -> None:
    expect_equal((1, 2), [1, 2])
    expect_equal(Tensor(np.array([1, 2])), [1, 2])
    expect_equal(Tensor(np.array(3)), 3)
    expect_equal([Tensor(np.array(3)), (4,)], [3, [4]])
    expect_equal({"ids": Tensor(np.array([1, 2]))}, {"ids": [1, 2]})


def test_float_arrays_do_not_pass_for_integers() -> None:
    with pytest.raises(CheckFailed):
        expect_equal(Tensor(np.array([1.0, 2.0])), [1, 2])


@pytest.mark.parametrize("depth", [100, 1000])
def test_an_answer_nested_without_end_is_wrong_and_no_fault_of_the_grader(depth: int) -> None:
    nested: Any = 1
    for _ in range(depth):
        nested = [nested]
    with pytest.raises(CheckFailed) as caught:
        expect_equal(nested, [1, 2])
    assert_readable(caught.value)


@pytest.mark.parametrize("answer", [10**5000, [10**5000], {"a": 10**5000}], ids=["bare", "in-a-list", "in-a-dict"])
def test_an_integer_that_python_refuses_to_print_is_a_wrong_answer(answer: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_equal(answer, type(answer)())
    assert_readable(caught.value)


def test_the_first_difference_is_shown_with_its_place() -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_equal([1] * 50 + [2] + [1] * 49, [1] * 100, what="ids")
    assert caught.value.rationale == "ids differs from item 50 on"
    assert caught.value.actual == "… [1, 1, 1, 1, 2, 1, 1, 1]"


def test_what_was_compared_exactly_goes_with_the_failure() -> None:
    for bugs in (None, {"reversed": [2, 1]}):
        with pytest.raises(ValueMismatch) as caught:
            expect_equal([2, 1], [1, 2], what="ids", bugs=bugs)
        assert dict(caught.value.expected_values or {}) == {"ids": [1, 2]}
        assert dict(caught.value.actual_values or {}) == {"ids": [2, 1]}


def test_a_known_mistake_of_plain_values_is_named() -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_equal([2, 1], [1, 2], bugs={"sorted": [1, 1], "reversed": lambda: [2, 1]})
    assert caught.value.diagnosis == "reversed"


# The small ones


def test_expect_raises_with_every_word_it_was_given() -> None:
    expect(True, "never said")
    with pytest.raises(CheckFailed) as caught:
        expect(False, "said", help="try", expected="1", actual="2", diagnosis="why")
    failure = caught.value
    assert (failure.rationale, failure.help, failure.expected, failure.actual, failure.diagnosis) == (
        *("said", "try", "1", "2", "why"),
    )


class _Kept:
    """A reference whose value is known."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def fetch(self) -> Any:
        return self._value


@pytest.mark.parametrize(
    "now", [Tensor(np.array([1.0, 3.0])), Tensor(np.array([[1.0, 2.0]])), [1.0, 2.0], None, Tensor(np.array([1.0]))]
)
def test_an_input_that_was_changed_is_found(now: Any) -> None:
    original = Tensor(np.array([1.0, 2.0]))
    expect_unchanged(cast(Reference, _Kept(original)), original)
    with pytest.raises(CheckFailed) as caught:
        expect_unchanged(cast(Reference, _Kept(now)), original, what="x")
    assert caught.value.diagnosis == "mutates-input"
