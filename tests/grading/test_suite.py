"""What an author is told at once when a suite is not well formed."""

from __future__ import annotations

from typing import Any

import pytest

from deepfield_cli.errors import ContentError
from deepfield_cli.grading import Suite


def first(submission: Any, rng: Any) -> None:
    """The first promise.

    And what it means.
    """


def second(submission: Any) -> None:
    """The second promise."""


def silent(submission: Any, rng: Any) -> None: ...


def greedy(submission: Any, oracle: Any) -> None:
    """A check that asks for what no check is given."""


@pytest.fixture
def suite() -> Suite:
    return Suite("tiny/example")


def test_a_check_is_its_function(suite: Suite) -> None:
    assert suite.check(points=3, timeout_seconds=1.5, exclusive=True)(first) is first
    suite.check(needs=[first], rung="laptop")(second)
    one, two = suite.checks
    assert (one.name, one.description) == ("first", "The first promise. And what it means.")
    assert (one.points, one.timeout_seconds, one.exclusive, one.rung) == (3, 1.5, True, "core")
    assert one.parameters == ("submission", "rng")
    assert (two.needs, two.parameters) == (("first",), ("submission",))
    assert suite.of_rung("core") == [one]
    assert suite.of_rung("paper") == []


def test_a_check_without_a_docstring_is_refused(suite: Suite) -> None:
    with pytest.raises(ContentError, match="silent has no docstring: it is what the learner reads"):
        suite.check()(silent)


def test_a_parameter_that_no_check_is_given_is_refused(suite: Suite) -> None:
    with pytest.raises(ContentError, match="greedy asks for oracle, which no check is given"):
        suite.check()(greedy)


def test_two_checks_of_one_name_are_refused(suite: Suite) -> None:
    suite.check()(first)
    with pytest.raises(ContentError, match="two checks are called first"):
        suite.check()(first)


def test_a_need_that_is_no_check_is_refused(suite: Suite) -> None:
    with pytest.raises(ContentError, match="second needs first, which is not a check"):
        suite.check(needs=[first])(second)


def test_a_refused_check_is_not_in_the_suite(suite: Suite) -> None:
    with pytest.raises(ContentError, match="no docstring"):
        suite.check()(silent)
    assert suite.checks == []
