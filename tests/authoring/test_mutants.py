"""The small changes: which there are, which there are not, and how they are recognised again."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.authoring.mutants import Mutant, mutants
from tests.authoring.conftest import WORDS

CHANGES = [
    ("y = a + b", {"a + b→a - b"}),
    ("y = a @ b", {"a @ b→b @ a"}),
    ("y = a / b", {"a / b→a * b", "a / b→a // b", "a / b→b / a"}),
    ("y = a < b", {"a < b→a <= b", "a < b→a > b"}),
    ("y = a <= b != c", {"a <= b != c→a < b != c", "a <= b != c→a >= b != c", "a <= b != c→a <= b == c"}),
    ("y = a is None", {"a is None→a is not None"}),
    ("y = 3", {"3→4", "3→2", "3→0", "3→-3"}),
    ("y = 0", {"0→1", "0→-1"}),
    ("y = 0.5", {"0.5→1.5", "0.5→-0.5", "0.5→0.0"}),
    ("y = True", {"True→False"}),
    ("y = 'a'", {"'a'→''", "'a'→'ax'"}),
    ("y = not a", {"not a→a"}),
    ("y = -a", {"-a→a"}),
    ("y = a and b", {"a and b→a or b"}),
    ("y = f(a, b)", {"a, b→b, a"}),
    ("y = f(*a, b)", set()),
    ("y = f(a, axis=b)", {"axis=b→nothing"}),
    ("y = min(a)", {"min→max"}),
    ("y = a.zeros()", {"zeros→ones"}),
    ("y = a[b:]", {"b→b + 1", "b→b - 1", "b:→:", "b:→b:-1"}),
    ("y = a[::b]", {"b→b + 1", "b→b - 1", "::b→1::b", "::b→:-1:b", "::b→:"}),
    ("y, z = a", {"(y, z)→(z, y)"}),
    ("y += a", {"y += a→y -= a", "y += a→y = a"}),
    ("y = [b for b in a if b]", {"b→not b", "for b in a if b→for b in a"}),
    ("y = a if b else c", {"b→not b"}),
    ("del a", set()),
]


def told(mutant: Mutant) -> str:
    return f"{mutant.old}→{mutant.new or 'nothing'}"


@pytest.mark.parametrize(("statement", "expected"), CHANGES)
def test_a_statement_changes_in_these_ways_and_no_others(statement: str, expected: set[str]) -> None:
    found = mutants(statement)
    assert {told(mutant) for mutant in found if mutant.kind != "drop"} - {"3→-2"} == expected
    assert [mutant.old for mutant in found if mutant.kind == "drop"] == [ast.unparse(ast.parse(statement))]


def test_a_range_has_other_bounds() -> None:
    found = {told(mutant) for mutant in mutants("for i in range(a):\n    f(i)\n") if mutant.kind == "range"}
    assert found == {"range(a)→range(a + 1)", "range(a)→range(a - 1)", "range(a)→range(1, a)"}


@pytest.mark.parametrize(("word", "other"), [("break", "continue"), ("continue", "break")])
def test_loops_are_left_and_gone_on_with(word: str, other: str) -> None:
    source = f"while a:\n    if b:\n        {word}\n    c()\n"
    assert [told(mutant) for mutant in mutants(source) if mutant.kind == "loop"] == [f"{word}→{other}"]


def test_what_is_returned_may_be_a_parameter_or_nothing() -> None:
    source = "class A:\n    def f(self, x, y):\n        return x * y\n"
    found = {told(mutant) for mutant in mutants(source) if mutant.kind == "return"}
    assert found == {"return x * y→return x", "return x * y→return y", "return x * y→return"}


INERT = '''
    """A module."""

    import math
    from os import path

    LIMIT: "a text" = f()

    @cached(3)
    def g(a: "an annotation" = None) -> "another":
        """Docstring number 1."""
        raise ValueError("the words of an exception", 2)

    __all__ = ["f", "g"]

    if __name__ == "__main__":
        g(1 + 2)
'''


def test_what_nobody_runs_is_left_alone() -> None:
    assert {mutant.kind for mutant in mutants(dedent(INERT))} == {"drop"}
    assert {mutant.old for mutant in mutants(dedent(INERT))} == {
        "LIMIT: 'a text' = f()",
        "raise ValueError('the words of an exception', 2)",
    }


def test_a_change_that_compiles_to_the_same_is_no_mutant() -> None:
    assert not [mutant for mutant in mutants("def f(x):\n    return x\n") if told(mutant) == "return x→return x"]
    assert "return" in {mutant.kind for mutant in mutants("def f(x):\n    return x\n")}


SOURCE = """
def f(x):
    y = x[1:] + 1
    return y * 2

def g(x):
    return x * 2
"""


def test_keys_stay_when_lines_move_and_change_with_the_statement() -> None:
    before = {mutant.key: mutant for mutant in mutants(SOURCE)}
    moved = {mutant.key: mutant for mutant in mutants("# a comment\n\nimport math\n" + SOURCE)}
    assert before.keys() == moved.keys()
    assert all(moved[key].line == before[key].line + 3 for key in before)
    changed = {mutant.key for mutant in mutants(SOURCE.replace("y * 2", "2 * y"))}
    kept = {key for key, mutant in before.items() if mutant.before != "return y * 2"}
    assert changed & before.keys() == kept


def test_keys_tell_functions_and_repeated_statements_apart() -> None:
    twice = "def f(a):\n    a.b(1)\n    a.b(1)\n"
    found = mutants(twice)
    assert len({mutant.key for mutant in found}) == len(found)
    same = mutants("def f(x):\n    return x * 2\n\n\ndef g(x):\n    return x * 2\n")
    assert len({mutant.key for mutant in same}) == len(same) == 2 * len(mutants("def f(x):\n    return x * 2\n"))


def test_an_id_begins_with_its_key_and_says_where() -> None:
    mutant = next(mutant for mutant in mutants(SOURCE) if told(mutant) == "y * 2→y / 2")
    assert mutant.id == f"{mutant.key} 4:12 operator y * 2→y / 2"
    assert mutant.function == "f"
    assert (mutant.before, mutant.after) == ("return y * 2", "return y / 2")


SOLUTIONS = sorted((WORDS / "graders").rglob("solutions/**/*.py"))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_mutant_compiles_and_is_one_change_away(path: Path) -> None:
    source = path.read_text()
    original = ast.unparse(ast.parse(source)).splitlines()
    found = mutants(source)
    assert len(found) > 10
    for mutant in found:
        compile(mutant.source, "mutant", "exec")
        changed = set(mutant.source.splitlines()) ^ set(original)
        assert changed
        assert mutant.line <= len(source.splitlines())


@given(st.sampled_from(SOLUTIONS), st.integers(0, 5))
def test_mutating_is_repeatable(path: Path, lines: int) -> None:
    first, second = mutants(path.read_text()), mutants("\n" * lines + path.read_text())
    assert [mutant.key for mutant in first] == [mutant.key for mutant in second]
