"""Everything that a portfolio shows, as one model: kinds of evidence stand beside each other and are never mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from deepfield_cli.journey.gaps import Gap
from deepfield_cli.journey.portfolio.proved import Proved
from deepfield_cli.journey.portfolio.reaching import Reaching
from deepfield_cli.journey.portfolio.shown_season import ShownSeason
from deepfield_cli.journey.portfolio.vouched import EvidenceKind, Vouched
from deepfield_cli.ledger import ChainReport


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything that is shown.

    Attributes:
        name: the learner's name, if they gave one.
        made: the day on which it was made.
        program: the version of deepfield.
        chain: what a walk over the whole record found.
        problems: what was tried, in the order of the road.
        fields: field to its title, in the order of the road.
        vouched: confirmations and attestations, the oldest first.
        reachings: milestones that were reached.
        seasons: the newest first.
        gaps: the gap logs, problem by problem.
        drills: field to right and all answers of the envelope drill.
        reviews: how many reviews of passed problems were made, and how many succeeded.
        days: day to how many entries of work it has.

    """

    name: str | None
    made: date
    program: str
    chain: ChainReport
    problems: tuple[Proved, ...]
    fields: Mapping[str, str]
    vouched: tuple[Vouched, ...]
    reachings: tuple[Reaching, ...]
    seasons: tuple[ShownSeason, ...]
    gaps: Mapping[str, tuple[Gap, ...]]
    drills: Mapping[str, tuple[int, int]]
    reviews: tuple[int, int]
    days: Mapping[date, int]

    @property
    def rungs_verified(self) -> int:
        """How many rungs a grader has measured as solved."""
        return sum(rung.is_solved for problem in self.problems for rung in problem.rungs)

    def vouched_as(self, kind: EvidenceKind) -> int:
        """How many things of one kind there are; kinds are never added up."""
        return sum(one.count for one in self.vouched if one.kind == kind)
