"""Whatever name leads to a forbidden function, the function itself is trapped, and the grader hears of it at once."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.sandbox import traps
from deepfield_cli.sandbox.recording import replace_everywhere
from deepfield_cli.sandbox.traps import ForbiddenCall, Traps
from tests.sandbox.conftest import Open

LIBRARY = """
def plain(x, y=1, *, z=2):
    return "done"

def closure():
    held = object()
    def inner(x):
        return held
    return inner

inner = closure()

class Kind:
    def __init__(self, x=0):
        self.x = x
    def method(self):
        return "done"

builtin = len
"""


class Bench:
    """Traps on a library of the test's own, and what they told the grader."""

    def __init__(self, library: types.ModuleType) -> None:
        self.library = library
        self.told: list[str] = []

    def forbid(self, *names: str) -> Traps:
        armed = Traps(
            [{"call": f"toy_library.{name}", "reason": "Write it yourself.", "operators": []} for name in names]
        )
        armed.arm()
        return armed


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    library = types.ModuleType("toy_library")
    exec(LIBRARY, library.__dict__)
    monkeypatch.setitem(sys.modules, "toy_library", library)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    bench = Bench(library)
    monkeypatch.setattr(traps, "_announce", bench.told.append)
    yield bench
    traps._TRAPS.clear()


ROUTES: dict[str, Callable[[Any], Any]] = {
    "plain": lambda library: library.plain(1),
    "inner": lambda library: library.inner(1),
    "Kind": lambda library: library.Kind(),
    "Kind.method": lambda library: library.Kind().method(),
}


@pytest.mark.parametrize("name", ROUTES)
def test_references_that_were_taken_before_are_trapped_too(bench: Bench, name: str) -> None:
    twin = types.SimpleNamespace(**vars(bench.library))
    armed = bench.forbid(name)
    for library in (bench.library, twin):
        with pytest.raises(ForbiddenCall, match=r"may not be used in this problem: Write it yourself\."):
            ROUTES[name](library)
    assert len(armed.violations) == len(bench.told) == 2


def test_a_built_in_is_replaced_under_every_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    other = types.ModuleType("toy_other")
    other.alias = original = types.BuiltinFunctionType.__call__  # type: ignore[attr-defined]
    bench.library.__dict__["builtin"] = original
    monkeypatch.setitem(sys.modules, "toy_other", other)
    replace_everywhere(original, "substitute")
    assert (other.alias, vars(bench.library)["builtin"]) == ("substitute", "substitute")


def test_a_violation_counts_even_if_it_is_caught(bench: Bench) -> None:
    armed = bench.forbid("plain")
    for _ in range(2):
        with pytest.raises(ForbiddenCall):
            bench.library.plain(1)
    assert len(armed.violations) == len(bench.told) == 2


def test_what_is_not_there_needs_no_trap(bench: Bench) -> None:
    bench.forbid("no_such_function", "no.such.module")
    Traps([{"call": "never_imported.function", "reason": "", "operators": ["aten::x"]}]).arm()
    assert bench.library.plain(1) == "done"


def test_a_module_with_traps_is_not_loaded_twice(bench: Bench) -> None:
    bench.library.plain.__module__ = "toy_library"
    bench.forbid("plain")
    del sys.modules["toy_library"]
    with pytest.raises(ForbiddenCall, match="a second copy of toy_library"):
        __import__("toy_library")


CAUGHT = """
import gc, itertools, sys

def work():
    try:
        return list(itertools.accumulate([1, 2]))
    except Exception:
        pass
    {cover}
    return [1, 3]
"""
COVERS = {
    "nothing": "pass",
    "clearing the list": "sys._getframe(1).f_locals['self']._traps.violations.clear()",
    "another list": "sys._getframe(1).f_locals['self']._traps.violations = []",
    "other traps": "sys._getframe(1).f_locals['self']._traps = type('T', (), {'violations': []})",
    "finding it": ("gc.unfreeze(); [o.violations.clear() for o in gc.get_objects() if type(o).__name__ == 'Traps']"),
}


@pytest.mark.parametrize("name", COVERS)
def test_a_trace_cannot_be_covered_afterwards(open_submission: Open, name: str) -> None:
    """The violation was sent before the exception came back to the submission."""
    rules = [{"call": "itertools.accumulate", "reason": "Write it yourself.", "operators": []}]
    submission = open_submission(CAUGHT.format(cover=COVERS[name]), rules=rules)
    with pytest.raises(CheckFailed) as caught:
        submission.call("work")
    assert caught.value.diagnosis == "forbidden-call"
    with pytest.raises(CheckFailed):
        submission.call("work")
