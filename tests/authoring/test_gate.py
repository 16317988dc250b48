"""Checks of several grades run side by side, and one that measures time runs alone."""

from __future__ import annotations

import threading

import pytest

from deepfield_cli.authoring.gate import Gate, Turn
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check

# How long a thread is given to do what it must not do; a thread that may go on is waited for as long as it takes.
_GLIMPSE_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0


def a_check(name: str, *, exclusive: bool) -> Check:
    return Check(name, "", "core", (), 1, 1.0, exclusive, lambda: None, ())


def a_result(name: str) -> CheckResult:
    return CheckResult(name=name, description="", outcome="passed", points=1, seconds=0.0)


class Visitor:
    """A thread that enters with a turn of its own and stays until it is told to leave."""

    def __init__(self, gate: Gate, *, exclusive: bool) -> None:
        self.inside, self._leave = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._visit, args=(gate, exclusive), daemon=True)
        self._thread.start()

    def _visit(self, gate: Gate, exclusive: bool) -> None:
        with Turn(gate) as turn:
            turn.on_start(a_check("one", exclusive=exclusive))
            self.inside.set()
            self._leave.wait(_PATIENCE_SECONDS)
            turn.on_finish(a_result("one"))

    def gets_in(self) -> bool:
        return self.inside.wait(_PATIENCE_SECONDS)

    def is_kept_out(self) -> bool:
        return not self.inside.wait(_GLIMPSE_SECONDS)

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(_PATIENCE_SECONDS)


def test_ordinary_checks_share() -> None:
    gate = Gate()
    first, second = Visitor(gate, exclusive=False), Visitor(gate, exclusive=False)
    assert first.gets_in()
    assert second.gets_in()
    first.leave()
    second.leave()


def test_an_exclusive_check_waits_for_the_others_and_keeps_newcomers_out() -> None:
    gate = Gate()
    early = Visitor(gate, exclusive=False)
    assert early.gets_in()
    alone = Visitor(gate, exclusive=True)
    assert alone.is_kept_out()
    late = Visitor(gate, exclusive=False)
    assert late.is_kept_out()
    early.leave()
    assert alone.gets_in()
    assert late.is_kept_out()
    alone.leave()
    assert late.gets_in()
    late.leave()


def test_a_turn_gives_back_what_it_holds_when_a_grade_breaks_off() -> None:
    gate = Gate()
    with pytest.raises(KeyboardInterrupt), Turn(gate) as turn:
        turn.on_start(a_check("one", exclusive=True))
        raise KeyboardInterrupt
    assert Visitor(gate, exclusive=True).gets_in()


def test_a_skipped_check_never_held_anything() -> None:
    gate = Gate()
    with Turn(gate) as turn:
        turn.on_finish(a_result("skipped"))
        turn.on_start(a_check("one", exclusive=True))
        turn.on_finish(a_result("one"))
        assert Visitor(gate, exclusive=False).gets_in()
