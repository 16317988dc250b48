"""The general mistakes: each is recognised, with its numbers, and noise is never taken for one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Tensor, Tolerance, expect_close
from deepfield_cli.grading.diagnoses import GENERAL
from deepfield_cli.grading.patterns import _PATTERNS, recognise

TOLERANCE = Tolerance(relative=1e-6)
SEEDS = st.integers(0, 2**32)
SHAPES = st.sampled_from([(), (1,), (2,), (9,), (3, 4), (5, 5), (2, 3, 4), (4, 4, 4)])


def right_answer(shape: tuple[int, ...] = (3, 4, 5), seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def pattern_of(actual: np.ndarray, expected: np.ndarray, tolerance: Tolerance = TOLERANCE) -> tuple[str | None, str]:
    name, detail = recognise({"y": actual}, {"y": expected}, tolerance)
    return name, detail or ""


def bfloat16(values: np.ndarray) -> np.ndarray:
    """Values cut to bfloat16, as float32."""
    return (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def test_each_pattern_has_a_diagnosis_that_learners_are_told() -> None:
    assert {*_PATTERNS, "reduced-precision"} <= set(GENERAL)


@pytest.mark.parametrize(
    ("name", "words", "mistake"),
    [
        ("all-zeros", "every value is zero", lambda y: np.zeros_like(y)),
        ("constant-output", "every value is 0.25", lambda y: np.full_like(y, 0.25)),
        ("sign-flipped", "opposite sign", lambda y: -y),
        ("scaled-by-constant", "times 0.5", lambda y: y / 2),
        ("scaled-by-constant", "times -3", lambda y: -3 * y),
        ("scaled-by-constant", "times 1e+08", lambda y: 1e8 * y),
        ("off-by-a-constant", "plus 0.75", lambda y: y + 0.75),
        ("transposed", "axes 0 and 2 exchanged and then reshaped", lambda y: np.swapaxes(y, 0, 2).reshape(y.shape)),
        ("shifted-by-one", "along axis 1 it is the right answer one position too late", lambda y: np.roll(y, 1, 1)),
        ("shifted-by-one", "along axis 0 it is the right answer one position too early", lambda y: np.roll(y, -1, 0)),
        ("one-batch-only", "only items [0] ", lambda y: np.concatenate([y[:1], y[1:] * 2 + 1])),
        ("one-batch-only", "only items [1, 2] ", lambda y: np.concatenate([y[:1] ** 2, y[1:]])),
        ("reduced-precision", "bfloat16", bfloat16),
        ("reduced-precision", "float16", lambda y: y.astype(np.float16)),
    ],
)
def test_each_is_recognised(name: str, words: str, mistake: object) -> None:
    assert callable(mistake)
    expected = right_answer()
    found, detail = pattern_of(mistake(expected), expected)
    assert found == name
    assert words in detail


def test_a_transpose_of_a_square_is_recognised() -> None:
    expected = right_answer((4, 4))
    assert pattern_of(expected.T, expected) == ("transposed", "y: it is the right answer with axes 0 and 1 exchanged.")


def test_float32_is_reduced_only_where_float64_was_given() -> None:
    expected = right_answer()
    tight = Tolerance(relative=1e-12)
    single = expected.astype(np.float32)
    assert pattern_of(single.astype(np.float64), expected, tight)[0] == "reduced-precision"
    noisy = (expected * (1 + 1e-3 * right_answer(seed=2))).astype(np.float32)
    assert pattern_of(noisy, expected) == (None, "")


def test_a_wrong_count_is_no_matter_of_precision() -> None:
    """Whole numbers fit every float type, so that says nothing about the one that was used."""
    assert pattern_of(np.array([101.0, 50.0, 7.0]), np.array([100.0, 50.0, 7.0]))[0] is None


def test_a_pattern_has_to_explain_every_wrong_output() -> None:
    dx, dw = right_answer((3, 4), 1), right_answer((4, 5), 2)
    expected = {"dx": dx, "dw": dw, "db": right_answer((5,), 3)}
    both = recognise({"dx": -dx, "dw": -dw, "db": expected["db"]}, expected, TOLERANCE)
    assert both == ("sign-flipped", "dx, dw: it is the right answer with the opposite sign.")
    assert recognise({"dx": -dx, "dw": dw + 1, "db": expected["db"]}, expected, TOLERANCE) == (None, None)


def test_the_likelier_explanation_comes_first() -> None:
    expected = np.full((3, 3), 2.0)
    assert pattern_of(np.zeros((3, 3)), expected)[0] == "all-zeros"
    assert pattern_of(np.full((3, 3), -2.0), expected)[0] == "constant-output"


@given(SHAPES, SEEDS, st.sampled_from([np.float32, np.float64]))
def test_noise_is_no_mistake_with_a_name(shape: tuple[int, ...], seed: int, dtype: type) -> None:
    expected = right_answer(shape, seed)
    name, _ = pattern_of(right_answer(shape, seed + 1).astype(dtype), expected)
    assert name is None


@given(SHAPES, SEEDS, st.floats(-9, -1.5), st.sampled_from([np.float32, np.float64]))
def test_a_right_answer_with_noise_is_no_mistake_with_a_name(
    shape: tuple[int, ...], seed: int, exponent: float, dtype: type
) -> None:
    """Whatever the noise's size: just outside the tolerance, or a thousand times that."""
    expected = right_answer(shape, seed)
    noisy: np.ndarray = expected + 10**exponent * right_answer(shape, seed + 1)
    name, _ = pattern_of(noisy.astype(dtype), expected, Tolerance(relative=1e-7))
    # of a few elements with noise, some may be right as they stand
    assert name in ((None, "one-batch-only") if len(shape) > 1 else (None,))


@given(SHAPES, SEEDS, st.integers(0, 63))
def test_one_wrong_element_is_no_mistake_of_the_whole(shape: tuple[int, ...], seed: int, place: int) -> None:
    expected = right_answer(shape, seed)
    wrong = expected.copy()
    wrong.flat[place % wrong.size] += 3.0
    name, _ = pattern_of(wrong, expected)
    assert name in (None, "one-batch-only")


@given(SHAPES, SEEDS, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_values_that_are_not_finite_match_nothing(shape: tuple[int, ...], seed: int, strange: float) -> None:
    expected = right_answer(shape, seed)
    wrong = np.full(shape, strange)
    if wrong.size > 1:
        wrong.flat[0] = 1.0
    assert pattern_of(wrong, expected)[0] is None


def test_empty_arrays_match_nothing() -> None:
    assert pattern_of(np.zeros((0, 3)), np.zeros((3, 0)))[0] is None


def test_the_learner_is_told_the_name_and_the_numbers() -> None:
    expected = right_answer()
    with pytest.raises(CheckFailed) as caught:
        expect_close(Tensor(2 * expected), expected, tolerance=TOLERANCE, what="y")
    assert caught.value.diagnosis == "scaled-by-constant"
    assert caught.value.help == "y: it is the right answer times 2."
    assert caught.value.expected
