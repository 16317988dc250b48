"""A number that remembers how it was worked out, so that what is explained and what is computed cannot differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
# Rounded to so many digits where an intermediate result is written down; the value itself stays exact.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Number:
    """A value, the arithmetic that led to it, and how a sentence names it.

    Attributes:
        value: the exact value.
        working: the arithmetic, e.g. ``2 × 32 × 128``.
        words: the number in a sentence, e.g. ``7 billion``.
        binding: how tightly the last operation of the working binds.

    """

    value: float
    working: str
    words: str = ""
    binding: int = _ATOM

    def __str__(self) -> str:
        return self.words or self.working

    def __add__(self, other: Operand) -> Number:
        right = number(other)
        return Number(self.value + right.value, f"{self.working} + {right.working}", binding=_SUM)

    def __radd__(self, other: Operand) -> Number:
        return number(other) + self

    def __sub__(self, other: Operand) -> Number:
        right = number(other)
        return Number(self.value - right.value, f"{self.working} − {right._inside(_PRODUCT)}", binding=_SUM)

    def __rsub__(self, other: Operand) -> Number:
        return number(other) - self

    def __mul__(self, other: Operand) -> Number:
        right = number(other)
        working = f"{self._inside(_PRODUCT)} × {right._inside(_PRODUCT)}"
        return Number(self.value * right.value, working, binding=_PRODUCT)

    def __rmul__(self, other: Operand) -> Number:
        return number(other) * self

    def __truediv__(self, other: Operand) -> Number:
        right = number(other)
        working = f"{self._inside(_PRODUCT)} / {right._inside(_POWER)}"
        return Number(self.value / right.value, working, binding=_PRODUCT)

    def __rtruediv__(self, other: Operand) -> Number:
        return number(other) / self

    def __pow__(self, other: Operand) -> Number:
        right = number(other)
        return Number(self.value**right.value, f"{self._inside(_ATOM)}^{right._inside(_ATOM)}", binding=_POWER)

    def __rpow__(self, other: Operand) -> Number:
        return number(other) ** self

    def _inside(self, binding: int) -> str:
        return self.working if self.binding >= binding else f"({self.working})"


Operand = Number | float


def number(value: Operand) -> Number:
    """A constant as a number."""
    return value if isinstance(value, Number) else Number(float(value), compact(float(value)))


def square_root(of: Number) -> Number:
    """√x."""
    return Number(math.sqrt(of.value), f"√({of.working})")


def logarithm(of: Number) -> Number:
    """The natural logarithm."""
    return Number(math.log(of.value), f"ln({of.working})")


def compact(value: float) -> str:
    """The number as it stands in arithmetic: ``4,096``, ``7e9``, ``0.015``."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    text = f"{value:.{_DIGITS}g}"
    if abs(value) >= 1e6 and "e" not in text:
        text = f"{value:.{_DIGITS - 1}e}"
    mantissa, marker, exponent = text.partition("e")
    if not marker:
        return text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
