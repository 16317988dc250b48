"""Running checks: what becomes of each, in which order, with which inputs, and how a run is given up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import expect_equal
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.running import Cancelled, generator
from deepfield_cli.grading.suite import Check, CheckFunction
from tests.grading.conftest import STUCK, Bench, Together, check


def passes(submission: Any) -> None:
    """Passes."""


def fails(submission: Any) -> None:
    """Fails."""
    raise CheckFailed("it is wrong", help="look", expected="1", actual="2", diagnosis="doubled")


def asserts(submission: Any) -> None:
    """An author's slip: a bare assert."""
    assert submission is None, "the author's own assumption"


def squares(submission: Any, rng: np.random.Generator) -> None:
    """The square of a number between 3 and a million."""
    number = int(rng.integers(3, 1_000_000))
    expect_equal(submission.call("square", number), number * number)


def named(name: str, function: CheckFunction, **options: Any) -> Check:
    """The same check under another name."""

    def renamed(submission: Any) -> Any:
        """Another name for it."""
        return function(submission)

    renamed.__name__ = name
    needs = options.pop("needs", ())
    made = check(renamed, **options)
    return Check(**{**made.__dict__, "needs": tuple(needs)})


def outcomes(results: dict[str, CheckResult]) -> dict[str, str]:
    return {name: result.outcome for name, result in results.items()}


# What becomes of a check


def test_results_come_in_the_order_of_the_suite(bench: Bench) -> None:
    slow = threading.Event()

    def waits(submission: Any) -> None:
        """Waits for the last one."""
        assert slow.wait(60)

    def ends_the_wait(submission: Any) -> None:
        """Runs beside the first."""
        slow.set()

    results = bench.run([check(waits), check(passes), check(ends_the_wait)])
    assert outcomes(results) == {"waits": "passed", "passes": "passed", "ends_the_wait": "passed"}
    assert list(results) == ["waits", "passes", "ends_the_wait"]


def test_a_cause_is_there_if_and_only_if_a_check_did_not_pass(bench: Bench) -> None:
    checks = [check(passes), check(fails), check(asserts), named("blocked", passes, needs=["fails"])]
    results = bench.run(checks)
    assert outcomes(results) == {"passes": "passed", "fails": "failed", "asserts": "errored", "blocked": "skipped"}
    assert {name: result.cause is None for name, result in results.items()} == {
        "passes": True,
        "fails": False,
        "asserts": False,
        "blocked": False,
    }


def test_a_known_mistake_is_told_in_the_problem_s_own_words(bench: Bench) -> None:
    cause = bench.run([check(fails)])["fails"].cause
    assert cause is not None
    assert cause.rationale == "The number is added to itself instead of multiplied by itself."
    assert cause.help == "Two times a number is its square only for zero and two."
    assert (cause.diagnosis, cause.expected, cause.actual, cause.author) == ("doubled", "1", "2", None)


def test_at_most_twelve_lines_reach_the_learner(bench: Bench) -> None:
    def floods(submission: Any) -> None:
        """Fails at length."""
        raise CheckFailed("long", expected="line\n" * 100, actual="line\n" * 12)

    cause = bench.run([check(floods)])["floods"].cause
    assert cause is not None
    assert (cause.expected or "").splitlines() == ["line"] * 12 + ["…"]
    assert (cause.actual or "").splitlines() == ["line"] * 12


def test_what_a_check_measured_is_kept_as_numbers(bench: Bench) -> None:
    def measures(submission: Any) -> dict[str, float]:
        """Measures."""
        return {"count": 3, "ratio": float(np.float32(0.5))}

    assert bench.run([check(measures)])["measures"].metrics == {"count": 3.0, "ratio": 0.5}


@pytest.mark.parametrize("metrics", [{"name": "text"}, {"name": None}, [1.0], 7, {"name": float("nan")}])
def test_what_is_no_metric_is_a_fault_of_the_grader(bench: Bench, metrics: Any) -> None:
    def measures(submission: Any) -> Any:
        """Measures what is no number."""
        return metrics

    assert bench.run([check(measures)])["measures"].outcome == "errored"


@pytest.mark.parametrize(
    "error", [AssertionError("mine"), KeyError("mine"), StopIteration("mine"), RecursionError("mine"), OSError("mine")]
)
def test_whatever_else_escapes_a_check_is_a_fault_of_the_grader(bench: Bench, error: Exception) -> None:
    def breaks(submission: Any) -> None:
        """Breaks."""
        raise error

    result = bench.run([check(breaks)])["breaks"]
    assert result.outcome == "errored"
    assert result.cause is not None
    assert result.cause.diagnosis is None
    assert "not your failure" in result.cause.rationale
    assert type(error).__name__ in (result.cause.author or "")
    assert "mine" in (result.cause.author or "")


def test_a_suite_that_sends_what_cannot_be_sent_is_a_fault_of_the_grader(bench: Bench) -> None:
    def sends_a_set(submission: Any) -> None:
        """Sends a set."""
        submission.call("square", {1, 2})

    result = bench.run([check(sends_a_set)])["sends_a_set"]
    assert result.outcome == "errored"
    assert result.cause is not None
    assert "cannot be sent" in (result.cause.author or "")


def test_a_missing_shipped_solution_is_a_fault_of_the_grader(bench: Bench) -> None:
    def compares(submission: Any, shipped: Any) -> None:
        """Compares."""

    def no_solution(seconds: float) -> Any:
        raise IndexError("no solution")

    assert bench.run([check(compares)], open_shipped=no_solution)["compares"].outcome == "errored"


def test_the_shipped_solution_runs_in_a_worker_of_its_own(bench: Bench) -> None:
    def compares(submission: Any, shipped: Any) -> None:
        """Compares."""
        expect_equal(shipped.call("square", 5), 25)
        expect_equal(submission.call("square", 5), -1)

    assert bench.run([check(compares)], "def square(number):\n    return -1\n")["compares"].outcome == "passed"


def test_data_files_are_given_by_name(bench: Bench) -> None:
    def looks(submission: Any, data: Any) -> None:
        """Looks."""
        expect_equal(str(data["corpus"]), "/some/where")

    assert bench.run([check(looks)], data={"corpus": Path("/some/where")})["looks"].outcome == "passed"


def test_what_the_submission_printed_is_kept_with_the_check(bench: Bench) -> None:
    source = "print('loaded')\ndef square(number):\n    print('squaring', end='')\n    return number * number\n"
    assert bench.run([check(squares)], source)["squares"].output == "loaded\nsquaring"


def test_what_was_printed_before_a_hang_is_kept_too(bench: Bench) -> None:
    source = STUCK.replace("    time", "    print('so far')\n    time")
    assert bench.run([check(squares, timeout_seconds=1.0)], source)["squares"].output == "so far\n"


# Needs


def test_what_needs_a_check_that_did_not_pass_is_skipped_and_says_which(bench: Bench) -> None:
    checks = [
        *(check(fails), check(asserts), check(passes)),
        *(named("after_failed", passes, needs=["fails"]), named("after_errored", passes, needs=["asserts"])),
        *(named("after_passed", passes, needs=["passes"]), named("after_skipped", passes, needs=["after_failed"])),
    ]
    results = bench.run(checks)
    skipped = {name: one.cause.rationale for name, one in results.items() if one.cause and one.outcome == "skipped"}
    assert skipped == {
        "after_failed": "fails has to pass first",
        "after_errored": "asserts has to pass first",
        "after_skipped": "after_failed has to pass first",
    }
    assert results["after_passed"].outcome == "passed"


def test_a_need_that_was_not_selected_does_not_block(bench: Bench) -> None:
    assert outcomes(bench.run([named("later", passes, needs=["fails"])])) == {"later": "passed"}


def test_a_skipped_check_is_never_begun(bench: Bench) -> None:
    begun: list[str] = []
    checks = [check(fails), named("later", passes, needs=["fails"])]
    bench.run(checks, on_start=lambda one: begun.append(one.name))
    assert begun == ["fails"]


# Together and alone


def test_two_run_at_a_time_and_never_more(bench: Bench) -> None:
    together, meeting = Together(), threading.Barrier(2)
    names = ["one", "two", "three", "four"]
    results = bench.run([check(together.wrap(name, lambda: _meet(meeting))) for name in names])
    assert set(outcomes(results).values()) == {"passed"}
    assert together.most == 2


def _meet(meeting: threading.Barrier) -> None:
    meeting.wait(60)


def test_an_exclusive_check_runs_alone_and_after_the_others(bench: Bench) -> None:
    together = Together()
    begun: list[str] = []
    checks = [
        check(together.wrap("timed"), exclusive=True),
        *(check(together.wrap("one")), check(together.wrap("two"))),
        check(together.wrap("timed_too"), exclusive=True),
        check(together.wrap("three")),
    ]
    results = bench.run(checks, on_start=lambda one: begun.append(one.name))
    assert set(outcomes(results).values()) == {"passed"}
    assert together.seen["timed"] == {"timed"}
    assert together.seen["timed_too"] == {"timed_too"}
    assert begun[-2:] == ["timed", "timed_too"]


def test_what_needs_an_exclusive_check_runs_after_it(bench: Bench) -> None:
    checks = [check(passes, exclusive=True), named("later", passes, needs=["passes"])]
    assert outcomes(bench.run(checks)) == {"passes": "passed", "later": "passed"}


# Inputs


def test_inputs_depend_on_the_seed_and_the_name_alone(bench: Bench) -> None:
    def drawing(seed: int, order: Sequence[str], parallel: int) -> dict[str, list[int]]:
        drawn: dict[str, list[int]] = {}

        def make(name: str) -> Check:
            def draws(submission: Any, rng: np.random.Generator) -> None:
                """Draws."""
                drawn[name] = rng.integers(0, 2**62, size=3).tolist()

            draws.__name__ = name
            return check(draws)

        bench.run([make(name) for name in order], seed=seed, parallel=parallel)
        return drawn

    first = drawing(7, ["a", "b", "c"], 1)
    assert drawing(7, ["c", "b", "a"], 2) == first
    assert drawing(7, ["b"], 1) == {"b": first["b"]}
    assert drawing(8, ["a"], 1)["a"] != first["a"]
    assert first["a"] != first["b"]


def test_the_generator_of_a_seed_never_changes_between_versions() -> None:
    assert generator(7, "a").integers(0, 2**62, size=2).tolist() == [2517808283858403124, 2383629258161802923]


def test_the_same_seed_gives_the_same_results(bench: Bench) -> None:
    wrong = "def square(number):\n    return number + 1\n"
    first, second = (bench.run([check(squares)], wrong, seed=5)["squares"] for _ in range(2))
    assert first.model_copy(update={"seconds": 0.0}) == second.model_copy(update={"seconds": 0.0})
    assert bench.run([check(squares)], wrong, seed=6)["squares"].cause != first.cause


# Limits


def test_a_check_that_begins_after_the_budget_is_spent_fails_and_says_so(bench: Bench) -> None:
    def dawdles(submission: Any) -> None:
        """Takes longer than the whole budget."""
        time.sleep(0.3)

    results = bench.run([check(dawdles), check(passes)], parallel=1, deadline_seconds=0.2)
    assert outcomes(results) == {"dawdles": "passed", "passes": "failed"}
    cause = results["passes"].cause
    assert cause is not None
    assert cause.rationale == "the rung's budget of 0.2 s was used up before this check"
    assert cause.diagnosis == "timeout"


def test_no_check_may_take_longer_than_what_is_left_of_the_budget(bench: Bench) -> None:
    given: list[float] = []
    run = bench.prepare(deadline_seconds=5.0)
    original = run.open_submission

    def noting(seconds: float, kept: Path | None) -> Any:
        given.append(seconds)
        return original(seconds, kept)

    run.open_submission = noting
    run.run([check(passes, timeout_seconds=1000.0), named("short", passes, timeout_seconds=0.5)])
    assert 0 < given[0] <= 5.0
    assert given[1] <= 0.5


def test_an_answer_that_does_not_come_is_a_failure_with_its_own_words(bench: Bench) -> None:
    result = bench.run([check(squares, timeout_seconds=0.5)], STUCK)["squares"]
    assert result.cause is not None
    assert result.cause.diagnosis == "timeout"
    assert "square" in result.cause.rationale


def test_the_first_failure_is_enough_where_only_that_was_asked(bench: Bench) -> None:
    checks = [check(passes), check(fails), named("after", passes)]
    results = bench.run(checks, parallel=1, stop_at_first_failure=True)
    assert outcomes(results) == {"passes": "passed", "fails": "failed"}


# Giving up


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Watcher:
    """Lets a stuck check begin, notes its worker, and how it ended."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.workers: list[int] = []
        self.ended_by: list[str | None] = []

    def stuck(self, submission: Any) -> None:
        """Calls a function that does not return."""
        self.workers.append(submission._started().pid)
        self.began.set()
        try:
            submission.call("square", 3)
        except CheckFailed as failure:
            self.ended_by.append(failure.diagnosis)
            raise


def test_a_run_that_is_given_up_ends_its_workers_and_waits_for_no_answer(bench: Bench) -> None:
    watcher, cancelled = Watcher(), threading.Event()
    checks = [named("one", watcher.stuck, timeout_seconds=500), named("two", watcher.stuck, timeout_seconds=500)]
    run = bench.prepare(STUCK, cancelled=cancelled, deadline_seconds=500)
    threading.Thread(target=lambda: cancelled.set() if watcher.began.wait(60) else None).start()
    with pytest.raises(Cancelled):
        run.run(checks)
    assert watcher.ended_by
    assert "timeout" not in watcher.ended_by
    bench.pool.tidy()
    assert not any(map(_exists, watcher.workers))


def test_a_run_that_is_given_up_before_its_worker_is_there_begins_nothing(bench: Bench) -> None:
    watcher, cancelled = Watcher(), threading.Event()
    run = bench.prepare(STUCK, cancelled=cancelled, on_start=lambda one: cancelled.set())
    with pytest.raises(Cancelled):
        run.run([named("one", watcher.stuck, timeout_seconds=500)])
    assert watcher.workers == []


def test_a_worker_that_starts_just_as_the_run_is_given_up_is_ended_too(bench: Bench) -> None:
    """The run looks at its open workers, and this one is not there yet: it has to look again."""
    run = bench.prepare(STUCK, deadline_seconds=500)
    original, given_up = run.give_up, threading.Event()

    def note() -> None:
        original()
        given_up.set()

    def starts_late(submission: Any) -> None:
        """Begins its worker when everybody has been told to stop."""
        run.cancelled.set()
        assert given_up.wait(60)
        submission.call("square", 3)

    run.give_up = note  # type: ignore[method-assign]
    run.open_submission = _unstarted(run.open_submission)
    with pytest.raises(Cancelled):
        run.run([check(starts_late, timeout_seconds=500)])


def _unstarted(original: Any) -> Any:
    """Submissions whose worker is started at the first call."""

    def open_submission(seconds: float, kept: Path | None) -> Any:
        submission = original(seconds, kept)
        submission.start = lambda: None
        return submission

    return open_submission


def test_ctrl_c_ends_the_workers(bench: Bench) -> None:
    watcher = Watcher()

    def interrupt(result: CheckResult) -> None:
        assert watcher.began.wait(60)
        raise KeyboardInterrupt

    run = bench.prepare(STUCK, on_finish=interrupt, deadline_seconds=500)
    with pytest.raises(KeyboardInterrupt):
        run.run([named("stuck", watcher.stuck, timeout_seconds=500), check(passes)])
    assert "timeout" not in watcher.ended_by
    bench.pool.tidy()
    assert not any(map(_exists, watcher.workers))
