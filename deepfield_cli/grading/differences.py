"""Differences in words: the worst element first, and never more lines than a reader takes in."""

from __future__ import annotations

from typing import Any

import numpy as np

_LINES = 5
_WIDTH = 160
_CONTEXT = 4


def shown(value: Any) -> str:
    """A value on one line, cut where it is long; control characters escaped."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python prints; lists nested without end
        return f"a value of type {type(value).__name__} too large to show"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 20]} … ({len(text):,} characters)"


def same(actual: Any, expected: Any) -> bool:
    """Whether two plain values are of the same builtin types and equal, all the way down; a tuple passes for a list."""
    if isinstance(expected, list) and isinstance(actual, tuple):
        actual = list(actual)
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, list | tuple):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in expected)
    return bool(actual == expected)


def worst_elements(actual: np.ndarray, expected: np.ndarray, off: np.ndarray) -> tuple[str, str]:
    """The worst elements as two aligned blocks, expected and actual."""
    order = np.argsort(off, axis=None)[::-1][:_LINES]
    places = [tuple(int(index) for index in np.unravel_index(flat, off.shape)) for flat in order if off.flat[flat] > 0]
    wanted = "\n".join(f"{list(place)}: {expected[place]:.8g}" for place in places)
    got = "\n".join(f"{list(place)}: {actual[place]:.8g}" for place in places)
    return wanted, got


def first_difference(actual: Any, expected: Any) -> tuple[str, str, str]:
    """Where two plain values first differ, and both there, with a little context."""
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return _sequence_difference(list(actual), list(expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _mapping_difference(actual, expected)
    if isinstance(expected, str | bytes) and isinstance(actual, str | bytes):
        return _text_difference(actual, expected)
    return "", shown(expected), shown(actual)


def _sequence_difference(actual: list[Any], expected: list[Any]) -> tuple[str, str, str]:
    length = min(len(actual), len(expected))
    index = next((i for i in range(length) if not same(actual[i], expected[i])), length)
    sizes = "" if len(actual) == len(expected) else f" ({len(actual):,} items instead of {len(expected):,})"
    window = slice(max(index - _CONTEXT, 0), index + _CONTEXT)
    dots = "… " if index > _CONTEXT else ""
    return f" from item {index} on{sizes}", dots + shown(expected[window]), dots + shown(actual[window])


def _mapping_difference(actual: dict[Any, Any], expected: dict[Any, Any]) -> tuple[str, str, str]:
    missing = [key for key in expected if key not in actual]
    if missing:
        return f": {len(missing)} keys are missing", shown(missing[:_LINES]), shown(list(actual)[:_LINES])
    extra = [key for key in actual if key not in expected]
    if extra:
        return f": {len(extra)} keys too many", "none of these", shown(extra[:_LINES])
    key = next(key for key in expected if not same(actual[key], expected[key]))
    return f" at key {shown(key)}", shown(expected[key]), shown(actual[key])


def _text_difference(actual: Any, expected: Any) -> tuple[str, str, str]:
    length = min(len(actual), len(expected))
    index = next((i for i in range(length) if actual[i] != expected[i]), length)
    window = slice(max(index - 12, 0), index + 24)
    return f" from position {index} on", shown(expected[window]), shown(actual[window])
