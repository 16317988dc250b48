"""The comparisons of the grader: type, shape, dtype and finiteness first, then values; never a broadcast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import patterns
from deepfield_cli.grading.bugs import Bugs, BugSource, find_bug
from deepfield_cli.grading.differences import first_difference, same, shown, worst_elements
from deepfield_cli.grading.tolerance import Tolerance
from deepfield_cli.sandbox.submission import Reference
from deepfield_cli.sandbox.wire import Tensor

# A mistake is recognised when the answer is this much nearer to the mistaken value than to the right one. Honest
# rounding is far below a tolerance, and suites choose inputs on which mistakes differ by hundreds of tolerances.
_DIAGNOSIS_MARGIN = 10.0
_DIAGNOSIS_SLACK = 5.0
# No brief asks for an answer nested deeper; one that is may be nested without end.
_DEEPEST = 20


class ValueMismatch(CheckFailed):
    """A CheckFailed that also carries what was compared, for the repro file."""

    expected_values: Mapping[str, Any] | None = None
    actual_values: Mapping[str, Any] | None = None

    def comparing(self, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> ValueMismatch:
        """The same failure, with what was compared."""
        self.expected_values = dict(expected)
        self.actual_values = {name: actual[name] for name in expected}
        return self


def expect(
    condition: bool,
    rationale: str,
    help: str | None = None,
    expected: str | None = None,
    actual: str | None = None,
    diagnosis: str | None = None,
) -> None:
    """Raise CheckFailed with these words unless the condition holds."""
    if not condition:
        raise CheckFailed(rationale, help=help, expected=expected, actual=actual, diagnosis=diagnosis)


@np.errstate(all="ignore")  # a wrong answer may overflow in every way: the verdict says so, and no warning has to
def expect_close(
    actual: Any,
    expected: Any,
    *,
    tolerance: Tolerance,
    what: str = "the answer",
    dtype: str | None = None,
    bugs: BugSource | None = None,
) -> None:
    """Compare an answer with the oracle's.

    Args:
        actual: what came over the wire: a Tensor, a number, or for several outputs a dict of them.
        expected: float64 array, or a dict name → array.
        tolerance: how far values may be off.
        what: the answer's name in the learner's words.
        dtype: the dtype that the brief promises; None accepts every float.
        bugs: known mistakes, as ``Bugs`` or a mapping id → answer (or a function that computes it).

    Raises:
        CheckFailed: with the mistake's name if one gives this answer, else the first gate or the worst elements.

    """
    if isinstance(expected, Mapping):
        named = {str(name): np.asarray(value, dtype=np.float64) for name, value in expected.items()}
        _close_mapping(actual, named, tolerance, what, dtype, bugs or {})
        return
    wanted = {what: np.asarray(expected, dtype=np.float64)}
    failure = _first_failure({what: actual}, wanted, tolerance, dtype)
    if failure is not None:
        raise _diagnosed(failure, {what: actual}, wanted, tolerance, bugs or {})


def expect_equal(actual: Any, expected: Any, *, what: str = "the answer", bugs: BugSource | None = None) -> None:
    """Compare plain values exactly: the builtin types, every item.

    Tuples are accepted where a list is expected, and integers that came as array scalars count as integers.

    Raises:
        CheckFailed: with the mistake's name if one gives this answer, else the first difference.

    """
    failure = _unequal(_plain(actual), expected, what, bugs or {})
    if failure is not None:
        raise failure.comparing({what: expected}, {what: actual})


def _unequal(plain: Any, expected: Any, what: str, bugs: BugSource) -> ValueMismatch | None:
    if same(plain, expected):
        return None
    name = find_bug(bugs, lambda value: same(plain, value))
    if name is not None:
        return ValueMismatch(f"{what} is what this mistake gives: {name}", diagnosis=name)
    if type(plain) is not type(expected) and not (isinstance(plain, tuple) and isinstance(expected, list)):
        return ValueMismatch(
            f"{what} is {_article(plain)} where {_article(expected)} is expected",
            expected=shown(expected),
            actual=shown(plain),
            diagnosis="wrong-type",
        )
    place, wanted, got = first_difference(plain, expected)
    return ValueMismatch(f"{what} differs{place}", expected=wanted, actual=got)


def expect_unchanged(reference: Reference, original: Tensor, *, what: str = "the input") -> None:
    """Check that a value which was put in the worker still holds what was put there."""
    now = reference.fetch()
    same = isinstance(now, Tensor) and now.shape == original.shape
    if not same or not np.array_equal(now.array, original.array.astype(now.array.dtype), equal_nan=True):
        raise CheckFailed(f"{what} was modified in place", diagnosis="mutates-input")


def _close_mapping(
    actual: Any,
    expected: Mapping[str, np.ndarray],
    tolerance: Tolerance,
    what: str,
    dtype: str | None,
    bugs: BugSource,
) -> None:
    names = ", ".join(expected)
    if not isinstance(actual, dict):
        raise CheckFailed(f"{what} is {_article(actual)}, not a dict with {names}", diagnosis="wrong-type")
    missing = [name for name in expected if name not in actual]
    if missing:
        found = ", ".join(map(str, actual)) or "nothing"
        raise CheckFailed(f"{what} has no {missing[0]!r}", expected=names, actual=found, diagnosis="missing-key")
    failure = _first_failure(actual, expected, tolerance, dtype)
    if failure is not None:
        raise _diagnosed(failure, actual, expected, tolerance, bugs)


def _first_failure(
    actual: Mapping[str, Any], expected: Mapping[str, np.ndarray], tolerance: Tolerance, dtype: str | None
) -> CheckFailed | None:
    for name, wanted in expected.items():
        failure = _gate(actual[name], wanted, name, dtype) or _distance(actual[name], wanted, tolerance, name)
        if failure is not None:
            return failure.comparing(expected, actual)
    return None


def _gate(actual: Any, expected: np.ndarray, what: str, dtype: str | None) -> ValueMismatch | None:
    array = as_array(actual)
    if array is None:
        return ValueMismatch(
            f"{what} is {_article(actual)}, not a tensor", actual=shown(actual), diagnosis="wrong-type"
        )
    if array.shape != expected.shape:
        return ValueMismatch(
            f"{what} has the wrong shape",
            expected=str(list(expected.shape)),
            actual=str(list(array.shape)),
            diagnosis="wrong-shape",
        )
    found = actual.dtype if isinstance(actual, Tensor) else array.dtype.name
    if (dtype is not None and found != dtype) or (dtype is None and array.dtype.kind not in "fiu"):
        return ValueMismatch(
            f"{what} has the wrong dtype", expected=dtype or "a float", actual=found, diagnosis="wrong-dtype"
        )
    strange = ~np.isfinite(array) & np.isfinite(expected)
    if strange.any():
        place = [int(index) for index in np.argwhere(strange)[0]]
        return ValueMismatch(
            f"{what} has {int(strange.sum())} of {array.size} values that are not finite",
            actual=f"{array[tuple(place)]} at {place}",
            diagnosis="not-finite",
        )
    return None


def _distance(actual: Any, expected: np.ndarray, tolerance: Tolerance, what: str) -> ValueMismatch | None:
    array = np.asarray(as_array(actual), dtype=np.float64)
    allowed = tolerance.allowed(expected)
    off = np.where(array == expected, 0.0, np.abs(array - expected))
    off = np.where(np.isnan(array) & np.isnan(expected), 0.0, np.where(np.isnan(off), np.inf, off))
    wrong = off > allowed
    if not wrong.any():
        return None
    wanted, got = worst_elements(array, expected, off)
    return ValueMismatch(
        f"{what}: {int(wrong.sum())} of {array.size} values are off by more than {allowed:.1e}, "
        f"the worst by {off.max():.1e}",
        expected=wanted,
        actual=got,
    )


def _diagnosed(
    failure: CheckFailed,
    actual: Mapping[str, Any],
    expected: Mapping[str, np.ndarray],
    tolerance: Tolerance,
    bugs: BugSource,
) -> CheckFailed:
    """The same failure with the name of the mistake, if a known one or a general pattern gives this answer."""
    arrays = {name: as_array(actual[name]) for name in expected}
    if any(array is None or array.dtype.kind == "c" for array in arrays.values()):
        return failure
    bugs = bugs.sieved(arrays) if isinstance(bugs, Bugs) else bugs
    found = find_bug(bugs, lambda value: _explains(value, arrays, expected, tolerance))  # type: ignore[arg-type]
    if found is not None:
        failure.diagnosis = found
        failure.rationale = f"{', '.join(expected)}: the answer of a known mistake, {found}"
        failure.expected = failure.actual = None
        return failure
    if failure.diagnosis is None:
        failure.diagnosis, detail = patterns.recognise(arrays, expected, tolerance)  # type: ignore[arg-type]
        failure.help = detail or failure.help
    return failure


def _explains(
    value: Any, actual: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], tolerance: Tolerance
) -> bool:
    """Whether a mistake's answer is the learner's, and clearly not the right one."""
    if value is None:
        return False
    answers = value if isinstance(value, Mapping) else {next(iter(expected)): value}
    told_apart = False
    for name, right in expected.items():
        mistaken = np.asarray(answers[name], dtype=np.float64)
        got = np.asarray(actual[name], dtype=np.float64)
        if mistaken.shape != got.shape:
            return False
        to_mistake = _largest_distance(got, mistaken)
        if to_mistake > _DIAGNOSIS_SLACK * tolerance.allowed(mistaken):
            return False
        to_right = _largest_distance(got, right) if right.shape == got.shape else np.inf
        told_apart = told_apart or to_right > _DIAGNOSIS_MARGIN * to_mistake
    return told_apart


def _largest_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Largest distance; values that are not finite must be so in both."""
    strange = ~np.isfinite(first)
    if not np.array_equal(strange, ~np.isfinite(second)):
        return float("inf")
    if strange.all():
        return 0.0
    return float(np.abs(first[~strange] - second[~strange]).max())


def as_array(value: Any) -> np.ndarray | None:
    """The array of a Tensor or a plain number; None for anything else."""
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, int | float) and not isinstance(value, bool):
        return np.asarray(_as_float(value))
    return None


def _as_float(value: float) -> float:
    """A number as a float: an integer beyond every float is as good as infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _plain(value: Any, levels: int = _DEEPEST) -> Any:
    """The value with its integer arrays as lists, so that they compare as integers do."""
    if isinstance(value, Tensor) and value.array.dtype.kind in "iu":
        return value.array.tolist()
    if levels == 0:
        return value
    if isinstance(value, list | tuple):
        return type(value)(
            _plain(item, levels - 1) if isinstance(item, Tensor | list | tuple | dict) else item for item in value
        )
    if isinstance(value, dict):
        return {key: _plain(item, levels - 1) for key, item in value.items()}
    return value


def _article(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {value.kind} {'tensor' if value.kind == 'torch' else 'array'}"
    if value is None:
        return "None"
    name = "value of another type" if isinstance(value, Reference) else type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
