"""The square of a whole number."""

from __future__ import annotations


def square(number: int) -> int:
    """Return the number times itself."""
    raise NotImplementedError
