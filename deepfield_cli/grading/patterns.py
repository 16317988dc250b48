"""General mistakes that need no oracle: a sign, a constant factor, a transpose, one row too far."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from deepfield_cli.grading.tolerance import Tolerance

Arrays = Mapping[str, np.ndarray]
# A factor is only named when it explains the answer to this many tolerances; float32 noise stays below.
_SLACK = 5.0
# Answers that are off by less than this, relative to the scale, look like arithmetic in too low a precision.
_REDUCED_PRECISION = 2e-2


def recognise(actual: Arrays, expected: Arrays, tolerance: Tolerance) -> tuple[str | None, str | None]:
    """The name of the pattern that explains every wrong output, and a sentence with its numbers."""
    wrong = {
        name: (np.asarray(actual[name], dtype=np.float64), right)
        for name, right in expected.items()
        if not _near(np.asarray(actual[name], dtype=np.float64), right, tolerance, slack=1.0)
    }
    if not wrong:
        return None, None
    for name, pattern in _PATTERNS.items():
        details = [pattern(got, right, tolerance) for got, right in wrong.values()]
        if all(detail is not None for detail in details):
            return name, f"{', '.join(wrong)}: {details[0]}"
    return None, None


def _near(got: np.ndarray, wanted: np.ndarray, tolerance: Tolerance, slack: float = _SLACK) -> bool:
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return False
    return bool((np.abs(got - wanted) <= slack * tolerance.allowed(wanted)).all())


def _all_zeros(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return "every value is zero." if got.size and not got.any() else None


def _constant(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return f"every value is {got.flat[0]:g}." if got.size > 1 and np.ptp(got) == 0 else None


def _sign_flipped(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return "it is the right answer with the opposite sign." if _near(-got, right, tolerance) else None


def _scaled(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    energy = float((right * right).sum())
    factor = float((got * right).sum()) / energy if energy and got.shape == right.shape else 0.0
    if right.size < 2 or abs(factor) < 1e-6 or not _near(got / factor, right, tolerance):
        return None
    return f"it is the right answer times {factor:.6g}."


def _offset(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    if got.shape != right.shape or right.size < 2 or not np.isfinite(got).all():
        return None
    shift = float((got - right).mean())
    return f"it is the right answer plus {shift:.6g}." if _near(got - shift, right, tolerance) else None


def _transposed(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    if got.shape != right.shape:
        return None
    for first in range(right.ndim):
        for second in range(first + 1, right.ndim):
            turned = np.swapaxes(right, first, second)
            if _near(got, turned, tolerance):
                return f"it is the right answer with axes {first} and {second} exchanged."
            if right.shape[first] != right.shape[second] and _near(got, turned.reshape(right.shape), tolerance):
                return f"it is the right answer with axes {first} and {second} exchanged and then reshaped."
    return None


def _shifted(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    for axis in range(right.ndim):
        size = right.shape[axis]
        if got.shape != right.shape or size < 3:
            continue
        inner = np.arange(size - 1)
        for word, mine, theirs in (("late", inner + 1, inner), ("early", inner, inner + 1)):
            if _near(got.take(mine, axis), right.take(theirs, axis), tolerance):
                return f"along axis {axis} it is the right answer one position too {word}."
    return None


def _one_batch(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    if right.ndim < 2 or right.shape[0] < 2 or got.shape != right.shape:
        return None
    good = [_near(got[index], right[index], tolerance, slack=1.0) for index in range(right.shape[0])]
    return f"only items {[i for i, ok in enumerate(good) if ok]} along the first axis are right." if any(good) else None


def _reduced_precision(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    scale = float(np.abs(right).max()) if right.size else 0.0
    if got.shape != right.shape or scale == 0 or not np.isfinite(got).all():
        return None
    off = np.abs(got - right) / scale
    rounded = _looks_rounded(got)
    if off.max() > _REDUCED_PRECISION or not rounded:
        return None
    return f"values are right to about {off.max():.0e} of the scale, and carry only {rounded} precision."


def _looks_rounded(got: np.ndarray) -> str | None:
    single = got.astype(np.float32)
    with np.errstate(over="ignore"):
        half = got.astype(np.float16)
    if np.array_equal(half.astype(np.float64), got):
        return "float16"
    if np.array_equal((single.view(np.uint32) & 0xFFFF0000).view(np.float32).astype(np.float64), got):
        return "bfloat16"
    return "float32" if np.array_equal(single.astype(np.float64), got) else None


_PATTERNS: dict[str, Callable[[np.ndarray, np.ndarray, Tolerance], str | None]] = {
    "all-zeros": _all_zeros,
    "constant-output": _constant,
    "sign-flipped": _sign_flipped,
    "scaled-by-constant": _scaled,
    "off-by-a-constant": _offset,
    "transposed": _transposed,
    "shifted-by-one": _shifted,
    "one-batch-only": _one_batch,
    "reduced-precision": _reduced_precision,
}
