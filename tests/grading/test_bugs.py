"""The search for a known mistake: the likelier first, one before two, and no work that is not needed."""

from __future__ import annotations

from typing import Any

import pytest

from deepfield_cli.grading.bugs import Bugs, find_bug


class Counted:
    """An oracle with switches that notes what it was asked to compute."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, mistakes: frozenset[str]) -> list[str]:
        self.asked.append(sorted(mistakes))
        return sorted(mistakes)


def test_each_alone_before_any_two_in_the_given_order() -> None:
    compute = Counted()
    assert find_bug(Bugs(compute, ["b", "a", "c"]), lambda value: False) is None
    assert compute.asked == [["b"], ["a"], ["c"], ["a", "b"], ["b", "c"], ["a", "c"]]


def test_the_search_ends_at_the_first_match() -> None:
    compute = Counted()
    assert find_bug(Bugs(compute, ["b", "a", "c"]), lambda value: value == ["a"]) == "a"
    assert compute.asked == [["b"], ["a"]]


def test_two_mistakes_at_once_carry_both_names() -> None:
    assert find_bug(Bugs(Counted(), ["b", "a", "c"]), lambda value: value == ["b", "c"]) == "b+c"


def test_pairs_are_bounded_so_that_a_failing_check_does_not_dawdle() -> None:
    compute = Counted()
    find_bug(Bugs(compute, [f"bug-{number}" for number in range(100)]), lambda value: False)
    assert len(compute.asked) == 100 + 400


@pytest.mark.parametrize("answer", [7, lambda: 7])
def test_a_mapping_holds_answers_or_functions_that_compute_them(answer: Any) -> None:
    assert find_bug({"other": 6, "this": answer}, lambda value: value == 7) == "this"


def test_no_bugs_no_name() -> None:
    assert find_bug({}, lambda value: True) is None
