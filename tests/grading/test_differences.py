"""Differences in words: the worst first, the first place, one line for whatever value, and never many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.grading.differences import first_difference, same, shown, worst_elements

ANY_TEXT = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_is_shown_on_one_printable_line(value: Any) -> None:
    text = shown(value)
    assert len(text) <= 180
    assert text.isprintable()


def test_what_is_cut_says_how_much_there_was() -> None:
    assert shown("x" * 10_000).endswith(" … (10,002 characters)")


@given(VALUES, VALUES)
def test_whatever_differs_has_a_first_difference(actual: Any, expected: Any) -> None:
    if not same(actual, expected):
        place, wanted, got = first_difference(actual, expected)
        for text in (place, wanted, got):
            assert text.isprintable()
            assert len(text) <= 200


@pytest.mark.parametrize(
    ("actual", "expected", "difference"),
    [
        ([1, 2], [1, 3], (" from item 1 on", "[1, 3]", "[1, 2]")),
        ([1], [1, 2], (" from item 1 on (1 items instead of 2)", "[1, 2]", "[1]")),
        ((1, 2, 3), [1, 2], (" from item 2 on (3 items instead of 2)", "[1, 2]", "[1, 2, 3]")),
        ([1, [True]], [1, [1]], (" from item 1 on", "[1, [1]]", "[1, [True]]")),
        ({"a": 1}, {"a": 1, "b": 2}, (": 1 keys are missing", "['b']", "['a']")),
        ({"a": 1, "b": 2}, {"a": 1}, (": 1 keys too many", "none of these", "['b']")),
        ({"a": True}, {"a": 1}, (" at key 'a'", "1", "True")),
        ({"a": [1, True]}, {"a": [1, 1]}, (" at key 'a'", "[1, 1]", "[1, True]")),
        ("abcdef", "abcxef", (" from position 3 on", "'abcxef'", "'abcdef'")),
        (b"ab", b"abc", (" from position 2 on", "b'abc'", "b'ab'")),
        (3, 4, ("", "4", "3")),
    ],
)
def test_the_place_and_both_sides(actual: Any, expected: Any, difference: tuple[str, str, str]) -> None:
    assert first_difference(actual, expected) == difference


def test_escape_sequences_and_reordering_characters_are_shown_by_number() -> None:
    assert shown("\x1b[31m\u202eevil") == "'\\x1b[31m\\u202eevil'"


def test_the_worst_elements_come_first_and_right_ones_not_at_all() -> None:
    expected = np.zeros((2, 3))
    actual = np.array([[0.0, 1.0, -3.0], [0.0, 2.0, 0.0]])
    wanted, got = worst_elements(actual, expected, np.abs(actual - expected))
    assert got.splitlines() == ["[0, 2]: -3", "[1, 1]: 2", "[0, 1]: 1"]
    assert wanted.splitlines() == ["[0, 2]: 0", "[1, 1]: 0", "[0, 1]: 0"]


def test_of_many_wrong_elements_five_are_shown() -> None:
    actual = np.arange(100.0)
    wanted, got = worst_elements(actual, np.zeros(100), actual)
    assert len(wanted.splitlines()) == len(got.splitlines()) == 5
    assert got.splitlines()[0] == "[99]: 99"


def test_the_single_element_of_a_zero_dimensional_array_has_a_place() -> None:
    assert worst_elements(np.array(2.0), np.array(1.0), np.array(1.0)) == ("[]: 1", "[]: 2")
