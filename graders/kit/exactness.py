"""Does a sample come from this distribution? Tests whose false-alarm rate is stated once, for all of them together.

The tails are computed from the mathematics: the regularized incomplete gamma function for chi-square, the regularized
incomplete beta function for the binomial. Nothing but numpy is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# Cells that are expected less often are put together with other rare ones: chi-square is an approximation that needs
# a few counts in each. With 10, tests at the levels 1e-4 and 1e-5 rejected 1.1 to 1.8 times as often as stated, in
# millions of right samples (300 from 27 cells, 400 and 1,000 from 64; tests/kit/test_exactness.py repeats it in small).
FEWEST_EXPECTED = 10.0
_PRECISION, _MOST_TERMS = 1e-15, 100_000
_TINY = 1e-300


@dataclass(frozen=True)
class Finding:
    """What one test says.

    Attributes:
        p_value: probability of a sample at least as strange, if the distribution is right.
        level: a p-value below this rejects.
        statistic: chi-square, or the number of successes.
        expected: what the statistic is on average, if the distribution is right.

    """

    p_value: float
    level: float
    statistic: float
    expected: float

    @property
    def rejected(self) -> bool:
        """Whether the sample is not from this distribution."""
        return self.p_value < self.level


class Exactness:
    """A number of tests that together raise a false alarm at most this often.

    Args:
        false_alarm_rate: the probability that right work fails any of the tests.
        asked: how many tests will be made; each gets an equal share of the rate (Bonferroni), whatever their
            dependence. To ask for more is a fault of the grader: ValueError.

    """

    def __init__(self, false_alarm_rate: float, asked: int) -> None:
        if not 0 < false_alarm_rate < 1 or asked < 1:
            raise ValueError(f"{asked} tests at {false_alarm_rate}: a rate between 0 and 1, and a test, are needed")
        self.level = false_alarm_rate / asked
        self._left = asked

    def counts(self, observed: Sequence[int], probabilities: Sequence[float]) -> Finding:
        """Test counts of independent outcomes against their probabilities (chi-square, rare cells put together)."""
        self._take()
        return self._finding(*chi_square(observed, probabilities))

    def together(self, samples: Sequence[tuple[Sequence[int], Sequence[float]]]) -> Finding:
        """Test several independent samples at once: their chi-squares add up."""
        self._take()
        parts = [chi_square(*sample) for sample in samples]
        return self._finding(sum(part[0] for part in parts), sum(part[1] for part in parts))

    def share(self, successes: int, trials: int, probability: float) -> Finding:
        """Test a number of successes in independent trials (binomial, two-sided, exact)."""
        self._take()
        p_value = min(1.0, 2 * min(binomial_tails(successes, trials, probability)))
        return Finding(p_value, self.level, float(successes), trials * probability)

    def total(self, observed: int, probabilities: Sequence[float]) -> Finding:
        """Test one number against its whole distribution, probabilities[n] that of n (two-sided, exact)."""
        self._take()
        known = np.asarray(probabilities, dtype=np.float64)
        below, above = float(known[: observed + 1].sum()), float(known[max(observed, 0) :].sum())
        expected = float((np.arange(len(known)) * known).sum())
        return Finding(min(1.0, 2 * min(below, above)), self.level, float(observed), expected)

    def _finding(self, statistic: float, degrees: int) -> Finding:
        return Finding(chi_square_tail(statistic, degrees), self.level, statistic, float(degrees))

    def _take(self) -> None:
        if self._left == 0:
            raise ValueError("more tests are made than were asked for: the stated false-alarm rate would not hold")
        self._left -= 1


def chi_square(observed: Sequence[int], probabilities: Sequence[float]) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom; infinite where something impossible was seen."""
    counts, known = np.asarray(observed, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if counts.shape != known.shape or counts.ndim != 1 or not len(counts):
        raise ValueError(f"{counts.shape} counts for {known.shape} probabilities")
    if known.min() < 0 or abs(known.sum() - 1) > 1e-9:
        raise ValueError(f"the probabilities sum to {known.sum()}")
    if counts[known == 0].any():
        return math.inf, len(counts) - 1
    counts, expected = _pooled(counts[known > 0], known[known > 0] * counts.sum())
    return float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1


def _pooled(counts: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put cells together, the rarest first, until each is expected often enough."""
    order = np.argsort(expected, kind="stable")
    groups: list[list[float]] = []
    for count, mean in zip(counts[order], expected[order], strict=True):
        if groups and groups[-1][1] < FEWEST_EXPECTED:
            groups[-1][0] += count
            groups[-1][1] += mean
        else:
            groups.append([count, mean])
    if len(groups) > 1 and groups[-1][1] < FEWEST_EXPECTED:
        count, mean = groups.pop()
        groups[-1][0] += count
        groups[-1][1] += mean
    pooled = np.array(groups)
    return pooled[:, 0], pooled[:, 1]


def chi_square_tail(statistic: float, degrees: int) -> float:
    """The probability that chi-square with so many degrees of freedom is at least this large."""
    if math.isinf(statistic):
        return 0.0
    return gamma_tail(degrees / 2, statistic / 2) if degrees else 1.0


def gamma_tail(shape: float, x: float) -> float:
    """The regularized upper incomplete gamma function Q(shape, x): chi-square's tail is Q(degrees / 2, statistic / 2).

    Below shape + 1 by the power series of its complement (DLMF 8.11.4), above by Legendre's continued fraction
    (DLMF 8.9.2).
    """
    if shape <= 0 or x < 0:
        raise ValueError(f"Q({shape}, {x}) is not defined")
    if x == 0:
        return 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        return 1.0 - front * _gamma_series(shape, x)
    return front * _fraction(lambda n: n * (shape - n), lambda n: x + 2 * n + 1 - shape)


def _gamma_series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for n in range(1, _MOST_TERMS):
        term *= x / (shape + n)
        total += term
        if term < _PRECISION * total:
            return total
    raise ArithmeticError(f"the series of P({shape}, {x}) does not converge")


def binomial_tails(successes: int, trials: int, probability: float) -> tuple[float, float]:
    """P(at most so many successes) and P(at least so many), exactly."""
    if not 0 <= successes <= trials or not 0 <= probability <= 1:
        raise ValueError(f"{successes} of {trials} with probability {probability}")
    at_most = 1.0 if successes == trials else beta_share(trials - successes, successes + 1, 1 - probability)
    at_least = 1.0 if successes == 0 else beta_share(successes, trials - successes + 1, probability)
    return at_most, at_least


def beta_share(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22)."""
    if a <= 0 or b <= 0 or not 0 <= x <= 1:
        raise ValueError(f"I_{x}({a}, {b}) is not defined")
    if x in (0.0, 1.0):
        return float(x)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror converges quickly
        return 1.0 - beta_share(b, a, 1 - x)
    front = a * math.log(x) + b * math.log1p(-x) - math.log(a)
    front += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)

    def numerator(n: int) -> float:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))

    return math.exp(front) * _fraction(numerator, lambda n: 1.0)


def _fraction(numerator: Callable[[int], float], denominator: Callable[[int], float]) -> float:
    """1 / (b0 + a1 / (b1 + a2 / (b2 + ...))) by Lentz's method as modified by Thompson and Barnett."""
    value = forward = denominator(0) or _TINY
    backward = 0.0
    for n in range(1, _MOST_TERMS):
        a, b = numerator(n), denominator(n)
        backward = 1 / ((b + a * backward) or _TINY)
        forward = (b + a / forward) or _TINY
        value *= forward * backward
        if abs(forward * backward - 1) < _PRECISION:
            return 1 / value
    raise ArithmeticError("the continued fraction does not converge")
