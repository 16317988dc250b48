"""A number with its unit, read as people type it and written as people read it."""

from __future__ import annotations

import math
import re

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.practice.unit import DECIMAL_PREFIXES, find_unit, known_unit

_NUMBER = re.compile(
    r"""[~≈]?\s*
    (?P<digits>\d[\d,_]*(?:\.\d*)?|\.\d+)(?:[eE](?P<exponent>[+-]?\d{1,4}))?
    (?:\s*(?:\^|\*\*)\s*(?P<power>[+-]?\d{1,5}))?
    (?:\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*(?P<ten>[+-]?\d{1,4}))?
    \s*(?P<rest>.*)""",
    re.VERBOSE | re.DOTALL,
)
_MAGNITUDES = {
    "k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "mn": 1e6, "million": 1e6, "G": 1e9, "B": 1e9, "b": 1e9, "bn": 1e9,
    "billion": 1e9, "T": 1e12, "tn": 1e12, "trillion": 1e12, "P": 1e15, "quadrillion": 1e15,
}  # fmt: skip
_IN_WORDS = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
_DURATIONS = (
    (31557600.0, "years"), (86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"),
)  # fmt: skip
# A day is told in hours up to two, and so on: from here on the larger unit reads better.
_LARGER_FROM = {"years": 2.0, "days": 2.0, "h": 2.0, "min": 2.0}


class QuantityError(DeepfieldError):
    """What was typed is no number, or is one of something else."""


def parse_quantity(text: str, unit: str) -> float:
    """The number in base units: "12 GB" for "B" is 12e9. A bare number is taken in the question's own unit.

    Raises:
        QuantityError: it is no positive number, or its unit measures something else; with what would be understood.

    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise QuantityError(f'"{_cut(text)}" is no number', fix=_examples(unit))
    value = _number(match, text, unit) * _factor(match["rest"].strip(), text, unit)
    if not math.isfinite(value) or value <= 0:
        raise QuantityError(f'"{_cut(text)}" is not a positive number', fix=_examples(unit))
    return value


def format_quantity(value: float, unit: str, digits: int = 3) -> str:
    """The number as people read it, e.g. ``12.9 GB``, ``3.2 ms``, ``1.2 million tokens``."""
    if unit == "%":
        return f"{_rounded(100 * value, digits)}%"
    above, _, below = unit.partition("/")
    per = f"/{below}" if below else ""
    if above == "s":
        return _duration(value, digits)
    if above in ("B", "FLOP") and below in ("", "s"):
        return _prefixed(value, above, digits) + per
    return f"{in_words(value, digits)} {unit}".strip()


def in_words(value: float, digits: int = 3) -> str:
    """A plain number, e.g. ``7 billion``, ``4,096``, ``0.0012``."""
    for size, word in _IN_WORDS:
        if size <= value < size * 1e6:
            return f"{_rounded(value / size, digits)}{word}"
    return _rounded(value, digits)


def _number(match: re.Match[str], text: str, unit: str) -> float:
    value = float(re.sub("[,_]", "", match["digits"]) + f"e{match['exponent'] or 0}")
    try:
        if match["power"]:
            value **= int(match["power"])
        return value * 10.0 ** int(match["ten"] or 0)
    except (OverflowError, ZeroDivisionError) as error:
        raise QuantityError(f'"{_cut(text)}" is beyond all numbers', fix=_examples(unit)) from error


def _factor(rest: str, text: str, unit: str) -> float:
    """What stands behind the number: a unit, a magnitude, or a magnitude and a unit."""
    wanted = known_unit(unit)
    own = wanted.factor if unit != "%" else 1.0
    if not rest:
        return own
    found = find_unit(rest)
    if found is not None and found.measures_the_same(wanted):
        return found.factor
    word, _, behind = rest.partition(" ")
    magnitude = _MAGNITUDES.get(word)
    counted = find_unit(behind) if behind.strip() else None
    if magnitude is not None and not behind.strip():
        return magnitude * own
    if magnitude is not None and counted is not None and counted.measures_the_same(wanted):
        return magnitude * counted.factor
    what = "measures something else" if found is not None else "is no unit that is known here"
    raise QuantityError(f'"{_cut(text)}": "{_cut(rest)}" {what}', fix=_examples(unit))


def _examples(unit: str) -> str:
    known = {
        "B": "12 GB, 3.5e9 or 512 MiB",
        "s": "3 min, 40 ms or 12.5",
        "FLOP": "6e21, 3 TFLOP or 2.5e15 FLOP",
        "%": "40% or 0.4",
        "": "2.5k, 1e6 or 0.03",
    }
    return f"for example {known.get(unit, f'2.5k, 1.2e6 or 40 {unit}')}"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _duration(value: float, digits: int) -> str:
    for size, name in _DURATIONS:
        if value >= size * _LARGER_FROM.get(name, 1.0) * (1 - 1e-12):
            return f"{_rounded(value / size, digits)} {name}"
    return f"{_rounded(value / 1e-9, digits)} ns"


def _prefixed(value: float, symbol: str, digits: int) -> str:
    for prefix in ("P", "T", "G", "M", "k"):
        size = DECIMAL_PREFIXES[prefix]
        if size <= value < 1e18:
            return f"{_rounded(value / size, digits)} {prefix}{symbol}"
    return f"{_rounded(value, digits)} {symbol}"


def _rounded(value: float, digits: int) -> str:
    """Whole numbers in full, all others to so many digits; far out, as a power of ten."""
    if value >= 1e15:
        return _tidy(f"{value:.{digits - 1}e}")
    if value >= 10**digits or value == round(value):
        return f"{value:,.0f}"
    near = float(f"{value:.{digits}g}")
    return f"{near:,.0f}" if near >= 10**digits else _tidy(f"{near:.{digits}g}")


def _tidy(text: str) -> str:
    mantissa, marker, exponent = text.partition("e")
    if not marker:
        return text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
