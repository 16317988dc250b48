"""The tails against a second source, and the tests built on them against samples whose origin is known."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from graders.kit import exactness
from graders.kit.exactness import Exactness

# Critical values from printed tables of the chi-square distribution: degrees, upper tail, value to three decimals.
TABLE = [
    (1, 0.05, 3.841),
    (1, 0.001, 10.828),
    (2, 0.01, 9.210),
    (5, 0.05, 11.070),
    (10, 0.001, 29.588),
    (30, 0.01, 50.892),
    (100, 0.05, 124.342),
]


@pytest.mark.parametrize(("degrees", "tail", "value"), TABLE)
def test_chi_square_agrees_with_the_tables(degrees: int, tail: float, value: float) -> None:
    assert exactness.chi_square_tail(value + 5e-4, degrees) < tail < exactness.chi_square_tail(value - 5e-4, degrees)


@pytest.mark.parametrize("degrees", [2, 4, 10, 26, 64, 200])
@pytest.mark.parametrize("times", [0.01, 0.5, 0.99, 1.0, 1.5, 3.0, 6.0])
def test_with_even_degrees_the_tail_is_a_sum_of_poisson_terms(degrees: int, times: float) -> None:
    x = degrees * times
    terms = [k * math.log(x / 2) - x / 2 - math.lgamma(k + 1) for k in range(degrees // 2)]
    assert exactness.chi_square_tail(x, degrees) == pytest.approx(math.fsum(map(math.exp, terms)), rel=1e-11)


@pytest.mark.parametrize("shape", [0.5, 1.5, 13.0, 31.5])
@pytest.mark.parametrize("x", [0.1, 3.0, 14.0, 60.0, 200.0])
def test_the_incomplete_gamma_agrees_with_mpmath(shape: float, x: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    expected = float(mpmath.gammainc(shape, x, mpmath.inf, regularized=True))
    assert exactness.gamma_tail(shape, x) == pytest.approx(expected, rel=1e-11, abs=1e-16)


@pytest.mark.parametrize("trials", [1, 2, 10, 37, 120])
@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.9])
def test_binomial_tails_agree_with_exact_fractions(trials: int, share: float) -> None:
    exact = Fraction(share)  # the very number that the float is
    chances = [math.comb(trials, n) * exact**n * (1 - exact) ** (trials - n) for n in range(trials + 1)]
    for successes in {0, 1, trials // 4, trials // 2, trials - 1, trials}:
        at_most, at_least = exactness.binomial_tails(successes, trials, share)
        assert at_most == pytest.approx(float(sum(chances[: successes + 1])), rel=1e-10)
        assert at_least == pytest.approx(float(sum(chances[successes:])), rel=1e-10)


def test_the_edges() -> None:
    assert exactness.gamma_tail(3.0, 0.0) == 1.0
    assert exactness.chi_square_tail(math.inf, 5) == 0.0
    assert exactness.chi_square_tail(0.0, 0) == 1.0
    assert exactness.beta_share(2.0, 3.0, 0.0) == 0.0
    assert exactness.beta_share(2.0, 3.0, 1.0) == 1.0
    assert exactness.binomial_tails(0, 5, 0.0) == (1.0, 1.0)
    for wrong in (lambda: exactness.gamma_tail(0.0, 1.0), lambda: exactness.binomial_tails(3, 2, 0.5)):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(ValueError):
        exactness.beta_share(1.0, 1.0, 1.5)


def test_pearsons_statistic_by_hand() -> None:
    # a die thrown 60 times: (5 - 10)^2 / 10 + (8 - 10)^2 / 10 + ... = 13.4
    statistic, degrees = exactness.chi_square([5, 8, 9, 8, 10, 20], [1 / 6] * 6)
    assert statistic == pytest.approx(13.4)
    assert degrees == 5


def test_rare_cells_are_put_together() -> None:
    # 100 draws: 1, 2 and 3 are expected of the rare ones, 6 together, which is still too few and joins the next, 30
    statistic, degrees = exactness.chi_square([0, 4, 2, 34, 60], [0.01, 0.02, 0.03, 0.30, 0.64])
    assert degrees == 1
    assert statistic == pytest.approx((40 - 36) ** 2 / 36 + (60 - 64) ** 2 / 64)
    assert exactness.chi_square([3], [1.0]) == (0.0, 0)
    assert exactness.chi_square([1, 2], [0.5, 0.5])[1] == 0  # too few for any test


def test_what_is_impossible_is_rejected_outright() -> None:
    tests = Exactness(1e-6, 2)
    assert tests.counts([500, 499, 1], [0.5, 0.5, 0.0]).p_value == 0.0
    assert not tests.counts([500, 500, 0], [0.5, 0.5, 0.0]).rejected


def test_the_rate_is_shared_among_the_tests_that_are_asked_for() -> None:
    tests = Exactness(1e-6, 4)
    assert tests.level == pytest.approx(2.5e-7)
    for _ in range(4):
        assert tests.share(5, 10, 0.5).p_value == 1.0
    with pytest.raises(ValueError, match="more tests"):
        tests.share(5, 10, 0.5)
    for rate, asked in ((0.0, 1), (1.0, 1), (0.1, 0)):
        with pytest.raises(ValueError):
            Exactness(rate, asked)


def test_shares_and_totals_are_exact_and_two_sided() -> None:
    tests = Exactness(0.01, 6)
    assert tests.share(0, 5, 0.5).p_value == pytest.approx(2 / 32)
    assert tests.share(5, 5, 0.5).p_value == pytest.approx(2 / 32)
    assert tests.total(0, [0.0005, 0.4995, 0.5]).rejected
    found = tests.total(1, [0.0005, 0.4995, 0.5])
    assert not found.rejected
    assert found.expected == pytest.approx(1.4995)
    assert tests.total(3, [0.5, 0.5]).p_value == 0.0  # beyond all that can be
    assert tests.total(-1, [0.5, 0.5]).p_value == 0.0


def test_together_adds_up() -> None:
    tests = Exactness(0.01, 3)
    one, other = ([30, 70], [0.4, 0.6]), ([55, 45], [0.4, 0.6])
    parts = [tests.counts(*one), tests.counts(*other)]
    both = tests.together([one, other])
    assert both.statistic == pytest.approx(parts[0].statistic + parts[1].statistic)
    assert both.expected == 2.0


@pytest.mark.parametrize(("cells", "draws"), [(27, 300), (64, 400)])
def test_right_samples_are_rejected_about_as_often_as_stated(cells: int, draws: int) -> None:
    rng = np.random.default_rng(cells)
    level, samples, rejected = 1e-3, 20_000, 0
    for _ in range(20):
        chances = rng.dirichlet(np.ones(cells))
        for counts in rng.multinomial(draws, chances, size=samples // 20):
            rejected += exactness.chi_square_tail(*exactness.chi_square(counts.tolist(), chances.tolist())) < level
    # 20 are due; more than 60 would be three times the stated rate, and comes by chance once in 10^12 runs
    assert rejected < 60


def test_wrong_samples_are_rejected() -> None:
    rng = np.random.default_rng(1)
    right, wrong = [0.25, 0.25, 0.25, 0.25], [0.35, 0.25, 0.2, 0.2]
    tests = Exactness(1e-6, 100)
    found = [tests.counts(rng.multinomial(1500, wrong).tolist(), right).rejected for _ in range(100)]
    assert all(found)


def test_probabilities_that_do_not_sum_to_one_are_a_fault() -> None:
    with pytest.raises(ValueError, match="sum to"):
        exactness.chi_square([1, 2], [0.5, 0.6])
    with pytest.raises(ValueError, match="counts for"):
        exactness.chi_square([1, 2], [0.5, 0.25, 0.25])
