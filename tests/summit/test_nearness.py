"""How near is near: allowances follow from spread and seeds, and a perfect reproduction hardly ever fails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from deepfield_cli.summit import nearness
from deepfield_cli.summit.claims import Claim


def claim(**changes: Any) -> Claim:
    row = {
        "id": "x", "table": "Table 1", "metric": "accuracy", "direction": "higher", "published": 91.25, "spread": 0.2,
        "reached": 91.2, "hardware": "a laptop", "hours": 1.0, "runs": [{"seed": 0, "artefact": "a.npz"}],
    }  # fmt: skip
    return Claim.model_validate({**row, **changes})


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_a_perfect_reproduction_falls_short_once_in_hundreds(seeds: int, direction: str) -> None:
    rng = np.random.default_rng(seeds)
    runs = 40_000
    published, own = rng.normal(91.25, 0.2, size=runs), rng.normal(91.25, 0.2, size=(runs, seeds)).mean(axis=1)
    one = claim(direction=direction)
    short = np.array([nearness.shortfall(one, one.published + distance) for distance in own - published])
    # 3 standard deviations on one side: 1 in 740; five standard errors of the count are left to chance
    expected = runs * 0.00135
    assert abs(np.count_nonzero(short > nearness.allowance(one, seeds)) - expected) < 5 * math.sqrt(expected)


def test_what_is_allowed() -> None:
    assert nearness.allowance(claim(), 3) == pytest.approx(3 * 0.2 * math.sqrt(4 / 3) + 0.005)
    assert nearness.allowance(claim(tolerance=1.0, tolerance_because="half of the appendix's range"), 3) == 1.0
    assert nearness.allowance(claim(published=91.0, spread=0.0), 3) == 0.0


@pytest.mark.parametrize(
    ("direction", "reached", "short"),
    [
        ("higher", 91.0, 0.25),
        ("higher", 92.0, -0.75),
        ("lower", 92.0, 0.75),
        ("equal", 91.0, 0.25),
        ("equal", 92.0, 0.75),
    ],
)
def test_which_side_is_the_wrong_one(direction: str, reached: float, short: float) -> None:
    assert nearness.shortfall(claim(direction=direction), reached) == pytest.approx(short)


@pytest.mark.parametrize(
    ("direction", "before", "after", "worse"),
    [
        ("higher", 91.0, 10.0, True),
        ("higher", 91.0, 90.0, False),
        ("higher", 91.0, 99.0, False),
        ("lower", 3.29, 10.8, True),
        ("lower", 3.29, 3.35, False),
        ("lower", 3.29, 1.0, False),
        ("lower", 3.29, math.inf, True),
        ("higher", 0.9, math.nan, True),
        ("equal", 5.0, 7.0, True),
        ("equal", 5.0, 5.1, False),
    ],
)
def test_what_is_worse(direction: str, before: float, after: float, worse: bool) -> None:
    assert nearness.is_worse(claim(direction=direction, spread=0.01), before, after) == worse


def test_a_noisy_number_is_worse_where_half_of_it_is_gone() -> None:
    noisy = claim(published=400.0, spread=150.0)
    assert nearness.is_worse(noisy, 400.0, 12.0)
    assert not nearness.is_worse(noisy, 400.0, 250.0)
