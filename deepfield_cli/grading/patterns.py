"""General mistakes that need no oracle: a sign, a constant factor, a transpose, one row too far."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from deepfield_cli.grading.tolerance import Tolerance

Arrays = Mapping[str, np.ndarray]
# A pattern explains an answer if it gives it to this many tolerances; float32 noise stays below.
_SLACK = 5.0
# And only if the answer is this many tolerances from right: nearer, noise looks like a factor of 1.00001.
_CLEARLY_WRONG = 100.0
# A factor or a shift is fitted, and to two or three elements something always fits.
_FEWEST_TO_FIT = 4
# Bits of the significand, and how far off, relative to the scale, arithmetic in this precision may leave an answer.
_PRECISIONS = {"bfloat16": (8, 2e-2), "float16": (11, 2e-2), "float32": (24, 1e-4)}


def recognise(actual: Arrays, expected: Arrays, tolerance: Tolerance) -> tuple[str | None, str | None]:
    """The name of the pattern that explains every wrong output, and a sentence with its numbers."""
    wrong = {
        name: (np.asarray(actual[name], dtype=np.float64), right, _significand_bits(actual[name]))
        for name, right in expected.items()
        if not _near(actual[name], right, tolerance, slack=1.0)
    }
    if not wrong or not all(_comparable(got, right) for got, right, _ in wrong.values()):
        return None, None
    for name, pattern in _PATTERNS.items():
        details = [pattern(got, right, tolerance) for got, right, _ in wrong.values()]
        if all(detail is not None for detail in details):
            return name, f"{', '.join(wrong)}: {details[0]}"
    details = [_reduced_precision(got, right, bits) for got, right, bits in wrong.values()]
    if all(detail is not None for detail in details):
        return "reduced-precision", f"{', '.join(wrong)}: {details[0]}"
    return None, None


def _comparable(got: np.ndarray, right: np.ndarray) -> bool:
    return got.shape == right.shape and got.size > 0 and bool(np.isfinite(got).all() and np.isfinite(right).all())


def _near(got: np.ndarray, wanted: np.ndarray, tolerance: Tolerance, slack: float = _SLACK) -> bool:
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return False
    return bool((np.abs(got - wanted) <= slack * tolerance.allowed(wanted)).all())


def _gives(mistaken: np.ndarray, got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> bool:
    """Whether the mistaken value is the answer, and the right one clearly is not."""
    return _near(got, mistaken, tolerance) and not _near(got, right, tolerance, slack=_CLEARLY_WRONG)


def _all_zeros(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return None if got.any() else "every value is zero."


def _constant(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return f"every value is {got.flat[0]:g}." if got.size > 1 and np.ptp(got) == 0 else None


def _sign_flipped(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    return "it is the right answer with the opposite sign." if _gives(-right, got, right, tolerance) else None


def _scaled(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    energy = float((right * right).sum())
    factor = float((got * right).sum()) / energy if energy else 0.0
    if right.size < _FEWEST_TO_FIT or abs(factor) < 1e-6 or not _gives(factor * right, got, right, tolerance):
        return None
    return f"it is the right answer times {factor:.6g}."


def _offset(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    shift = float((got - right).mean())
    if right.size < _FEWEST_TO_FIT or not _gives(right + shift, got, right, tolerance):
        return None
    return f"it is the right answer plus {shift:.6g}."


def _transposed(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    for first in range(right.ndim):
        for second in range(first + 1, right.ndim):
            turned = np.swapaxes(right, first, second)
            if _gives(turned, got, right, tolerance):
                return f"it is the right answer with axes {first} and {second} exchanged."
            reshaped = turned.reshape(right.shape)
            if right.shape[first] != right.shape[second] and _gives(reshaped, got, right, tolerance):
                return f"it is the right answer with axes {first} and {second} exchanged and then reshaped."
    return None


def _shifted(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    for axis in range(right.ndim):
        size = right.shape[axis]
        if size < 3:
            continue
        inner = np.arange(size - 1)
        for word, mine, theirs in (("late", inner + 1, inner), ("early", inner, inner + 1)):
            if _gives(right.take(theirs, axis), got.take(mine, axis), right.take(mine, axis), tolerance):
                return f"along axis {axis} it is the right answer one position too {word}."
    return None


def _one_batch(got: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> str | None:
    if right.ndim < 2 or right.shape[0] < 2:
        return None
    good = [_near(got[index], right[index], tolerance, slack=1.0) for index in range(right.shape[0])]
    return f"only items {[i for i, ok in enumerate(good) if ok]} along the first axis are right." if any(good) else None


def _reduced_precision(got: np.ndarray, right: np.ndarray, own_bits: int) -> str | None:
    """Fewer bits than the answer's own type has, in values that would need more."""
    scale = float(np.abs(right).max())
    off = float(np.abs(got - right).max()) / scale if scale else np.inf
    for name, (bits, farthest) in _PRECISIONS.items():
        if bits < own_bits and off <= farthest and _fits(got, bits) and not _fits(right, bits):
            return f"values are right to about {off:.0e} of the scale, and carry only {name} precision."
    return None


def _fits(values: np.ndarray, bits: int) -> bool:
    """Whether a significand of so many bits holds every value."""
    significand = np.frexp(values)[0] * 2.0**bits
    return bool((significand == np.rint(significand)).all())


def _significand_bits(array: np.ndarray) -> int:
    """Those of the answer's type, and at least those of float32, which is what problems are about."""
    return max(np.finfo(array.dtype).nmant + 1, _PRECISIONS["float32"][0]) if array.dtype.kind == "f" else 0


_PATTERNS: dict[str, Callable[[np.ndarray, np.ndarray, Tolerance], str | None]] = {
    "all-zeros": _all_zeros,
    "constant-output": _constant,
    "sign-flipped": _sign_flipped,
    "scaled-by-constant": _scaled,
    "off-by-a-constant": _offset,
    "transposed": _transposed,
    "shifted-by-one": _shifted,
    "one-batch-only": _one_batch,
}
