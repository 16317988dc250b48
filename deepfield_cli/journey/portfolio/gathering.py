"""Gathering a portfolio from the record, which has to prove itself first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from deepfield_cli import __version__
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.clock import day_of, today
from deepfield_cli.journey.counts import DRILL
from deepfield_cli.journey.gaps import Gap, read_gaps
from deepfield_cli.journey.portfolio.portfolio import Portfolio
from deepfield_cli.journey.portfolio.proved import proved
from deepfield_cli.journey.portfolio.reaching import reachings
from deepfield_cli.journey.portfolio.shown_season import shown_season
from deepfield_cli.journey.portfolio.vouched import vouched
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.season import read_seasons
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger

_WORK = frozenset({"attempt", "review", "gap", "drill", "start"})


def gather(workspace: Workspace, *, name: str | None = None, notes: bool = False) -> Portfolio:
    """Everything that the record proves.

    Raises:
        DeepfieldError: the record is not as it was written; a portfolio of it would prove nothing.

    """
    roadmap = open_roadmap()
    statuses = [one for one in read_problems(workspace) if one.attempts]
    gaps = read_gaps(workspace)
    with workspace.record() as ledger:
        chain = ledger.verify()
        if not chain.ok:
            raise DeepfieldError("the record is not as it was written", fix="deepfield verify says where")
        return Portfolio(
            name=name,
            made=today(),
            program=__version__,
            chain=chain,
            problems=tuple(proved(ledger, status) for status in statuses),
            fields={stage.id: stage.title for stage in roadmap.stages.values()},
            vouched=vouched(ledger, roadmap, notes=notes),
            reachings=reachings(workspace, roadmap),
            seasons=tuple(shown_season(season, ledger, roadmap) for season in read_seasons(ledger)),
            gaps={problem: tuple(gap for gap in gaps if gap.problem == problem) for problem in _order(gaps)},
            drills=_drills(ledger),
            reviews=_reviews(ledger),
            days=Counter(day_of(moment.at) for moment in ledger.moments() if moment.kind in _WORK),
        )


def _order(gaps: Iterable[Gap]) -> list[str]:
    return list(dict.fromkeys(gap.problem for gap in gaps))


def _drills(ledger: Ledger) -> dict[str, tuple[int, int]]:
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for entry in ledger.entries(DRILL):
        payload = ledger.payload(entry)
        field = str(payload.get("question", "")).partition("/")[0]
        asked[field] += 1
        right[field] += bool(payload.get("right"))
    return {field: (right[field], asked[field]) for field in sorted(asked)}


def _reviews(ledger: Ledger) -> tuple[int, int]:
    """Reviews of problems: how many succeeded, and how many there were."""
    outcomes = [bool(entry.solved) for entry in ledger.entries("review") if entry.problem is not None]
    return sum(outcomes), len(outcomes)
