"""How near is near: the distances that a reproduction is judged by, and where each of them comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepfield_cli.summit.claims import Claim

# One number of a perfect reproduction lies further out than this once in 740 times, on one side.
DEVIATIONS = 3.0
# Fewer runs say nothing about a spread; papers that give one mostly have three to five.
FEWEST_SEEDS = 3
# What a table rounds away, and what another machine's arithmetic changes.
_ROUNDING = 0.005
_EXACT = 1e-6
# A judgement: what was learned makes up more than a twentieth of its number, or the claim is hardly one; and what is
# half of it gone is gone, however noisy the measurement.
_WORTH, _GONE = 0.05, 0.5


def mean(values: Sequence[float]) -> float:
    """The mean."""
    return math.fsum(values) / len(values)


def spread_of(claim: Claim, values: Sequence[float]) -> float:
    """The paper's spread; where it gives none, that of the values."""
    if claim.spread is not None:
        return claim.spread
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def allowance(claim: Claim, count: int) -> float:
    """How far the mean of so many runs may fall short of the published number.

    The paper's number and each of ours are taken as draws from one distribution with the paper's spread; the difference
    between one draw and the mean of n has the standard deviation spread · sqrt(1 + 1/n). A stated tolerance goes first.
    """
    if claim.tolerance is not None:
        return claim.tolerance
    return DEVIATIONS * (claim.spread or 0.0) * math.sqrt(1 + 1 / count) + _last_digit(claim.published)


def shortfall(claim: Claim, reached: float) -> float:
    """By how much a number is on the wrong side of the published one; 0 or less on the right side."""
    if claim.direction == "equal":
        return abs(reached - claim.published)
    return claim.published - reached if claim.direction == "higher" else reached - claim.published


def is_as_claimed(claim: Claim, values: Sequence[float]) -> bool:
    """Whether the claimed mean is the measured one, as a table would round it."""
    slack = _ROUNDING * abs(claim.reached) + DEVIATIONS * spread_of(claim, values) / math.sqrt(len(values))
    return abs(mean(values) - claim.reached) <= slack


def is_unmoved(claim: Claim, before: float, after: float, values: Sequence[float]) -> bool:
    """Whether two measurements of one artefact are the same, as far as the measurement repeats itself."""
    return abs(after - before) <= DEVIATIONS * math.sqrt(2) * spread_of(claim, values) + _ROUNDING * abs(before)


def is_worse(claim: Claim, before: float, after: float) -> bool:
    """Whether a number fell, by more than noise, to the wrong side; what is no number any more did."""
    if not math.isfinite(after):
        return True
    margin = max(_WORTH * abs(before), min(DEVIATIONS * (claim.spread or 0.0), _GONE * abs(before)))
    if claim.direction == "equal":
        return abs(after - before) >= margin
    return (before - after if claim.direction == "higher" else after - before) >= margin


def equals(one: float, other: float) -> bool:
    """Whether two numbers are one, written in single precision or printed by somebody else."""
    return abs(one - other) <= _EXACT * abs(other)


def _last_digit(number: float) -> float:
    """Half a unit of the last digit that is written."""
    text = repr(number)
    if "e" in text or "." not in text:
        return 0.0
    decimals = len(text.partition(".")[2])
    return 0.5 * 10.0**-decimals if text.partition(".")[2] != "0" else 0.0
