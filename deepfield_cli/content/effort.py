"""How many hours a problem takes: a stage's weeks, shared out among its problems by difficulty."""

from __future__ import annotations

from collections.abc import Mapping

# The weeks of a stage are meant for somebody who gives it a day's work a week; `plan` stretches them for others.
STEADY_HOURS_PER_WEEK = 8.0
# How much more a harder problem asks than a medium one, as the roadmap's own weeks suggest.
_SHARES = {"medium": 1.0, "hard": 2.0, "brutal": 4.0, "legendary": 6.0}


def problem_hours(weeks_min: int, weeks_max: int, difficulties: Mapping[str, str]) -> dict[str, float]:
    """Hours for each problem of a stage, its reading included; ``difficulties`` maps problem id to difficulty."""
    total = (weeks_min + weeks_max) / 2 * STEADY_HOURS_PER_WEEK
    shares = {problem: _SHARES[difficulty] for problem, difficulty in difficulties.items()}
    whole = sum(shares.values())
    return {problem: round(total * share / whole, 1) for problem, share in shares.items()}
