"""A grade that is over leaves nothing in memory: thousands of them run in one process, with large values each."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from deepfield_cli.content.packs import Pack, ProblemLocation
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.grade import Grade, GradeRequest, grade
from deepfield_cli.grading.running import Failure, Run
from deepfield_cli.grading.stage import Stage
from deepfield_cli.grading.suite import CheckFunction
from deepfield_cli.sandbox.pool import MAXIMUM_PARKED, WarmPool
from deepfield_cli.sandbox.staging import submission_files
from deepfield_cli.sandbox.submission import Recorder, Reference, Submission
from tests.conftest import TINY_PACK
from tests.grading.conftest import Bench, check, tiny

# Each of these holds, by way of others, inputs and answers of a check.
HOLDERS = (Grade, Run, Stage, Failure, CheckFailed, Submission, Recorder, Reference)
SOURCES = {
    "right": None,
    "wrong": "def mean(values):\n    return sum(values)\n\ndef center(x):\n    x -= x.mean()\n    return [x, x]\n",
    "raises": "def mean(values):\n    raise KeyError(values)\n\ndef center(x):\n    return {}[1]\n",
    "no Python": "def mean(values:\n",
    "gone": "import os\n\ndef mean(values):\n    os._exit(3)\n\ndef center(x):\n    return x\n",
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Rings of objects stay where they are, so that they can be counted."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    """How many of each are there."""
    return Counter(type(one).__name__ for one in gc.get_objects() if issubclass(type(one), HOLDERS))


def words() -> ProblemLocation:
    return Pack("words", TINY_PACK.with_name("words")).location("words/tally")


def graded(location: ProblemLocation, source: str | None, pool: WarmPool) -> Counter[str]:
    """The outcomes of one grade, of which nothing else is kept."""
    entry = location.load().entry
    files = None if source is None else submission_files({entry: source.encode()})
    found = grade(GradeRequest(location, location.solutions()[0], files=files), pool)
    return Counter(one.outcome for one in found.result.checks)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_grade_leaves_none_of_its_objects(pool: WarmPool, no_collector: None, source: str | None) -> None:
    before = alive()
    for _ in range(2):
        outcomes = graded(tiny("tiny/mean"), source, pool)
        assert outcomes["errored"] == 0
        assert (outcomes["failed"] == 0) == (source is None)
        assert alive() == before


@pytest.mark.parametrize("wrong", [None, "case_blind.py"])
def test_nor_where_values_of_the_learner_stayed_in_the_worker(
    pool: WarmPool, no_collector: None, wrong: str | None
) -> None:
    location = words()
    source = None if wrong is None else (location.grader / "wrong" / wrong).read_text(encoding="utf-8")
    before = alive()
    outcomes = graded(location, source, pool)
    assert outcomes["failed"] == (0 if wrong is None else 1)
    assert alive() == before


def breaks(submission: Submission) -> None:
    """The author's own mistake, with a value of the learner's at hand."""
    kept = submission.put(list(range(1000)))
    raise ValueError(kept.fetch())


def keeps_going(submission: Submission) -> None:
    """A failure that comes of another, and is at hand under a name."""
    try:
        submission.call("no_such_function")
    except CheckFailed as failure:
        wrapped = CheckFailed("in other words")
        raise wrapped from failure


@pytest.mark.parametrize("function", [breaks, keeps_going])
def test_nor_does_a_check_that_ends_badly(bench: Bench, no_collector: None, function: CheckFunction) -> None:
    bench.run([check(function)])  # the bench itself keeps its stages
    before = alive()
    for _ in range(2):
        bench.run([check(function)])
    grown = alive() - before
    assert set(grown) <= {"Stage"}


def test_what_failed_can_be_replayed_while_it_is_held(pool: WarmPool, no_collector: None) -> None:
    location = words()
    source = (location.grader / "wrong" / "case_blind.py").read_text(encoding="utf-8")
    files = submission_files({location.load().entry: source.encode()})
    before = alive()
    found = grade(GradeRequest(location, location.grader, files=files), pool)
    failure = found.failures[0]
    assert [note["target"] for note in failure.recorder.calls][:2] == ["Tally.of", "count"]
    assert isinstance(failure.recorder.calls[0]["result"], Reference)
    assert (failure.error.__traceback__, failure.error.__cause__, failure.error.__context__) == (None, None, None)
    del found, failure
    assert alive() == before


def test_of_hundreds_of_checks_no_more_workers_wait_than_may(pool: WarmPool) -> None:
    with WarmPool() as own:
        for _ in range(MAXIMUM_PARKED // 4 + 2):  # four checks each
            graded(tiny("tiny/mean"), None, own)
            assert len(own._parked) <= 4  # the next grade ends what the last one left
