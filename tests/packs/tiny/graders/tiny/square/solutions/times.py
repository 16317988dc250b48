"""One multiplication."""

from __future__ import annotations


def square(number: int) -> int:
    return number * number
