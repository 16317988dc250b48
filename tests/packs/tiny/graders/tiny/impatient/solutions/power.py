"""The same as a power."""

from __future__ import annotations


def square(number: int) -> int:
    return number**2
