"""The facts that evidence rules are held against, gathered from the record."""

from __future__ import annotations

from collections import Counter

from deepfield_cli.journey.clock import today
from deepfield_cli.journey.counts import DRILL, GAP, attested_counts, confirmed_counts, solved_rungs
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.rules import Facts
from deepfield_cli.journey.season import kept_weeks, read_seasons
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger


def read_facts(workspace: Workspace | None) -> Facts:
    """Every fact; none where there is no workspace."""
    if workspace is None or not workspace.has_record():
        return Facts()
    solved = solved_rungs(read_problems(workspace))
    with workspace.record() as ledger:
        return Facts(
            solved=solved,
            confirmed=confirmed_counts(ledger),
            attested=attested_counts(ledger),
            season_weeks=max((kept_weeks(season, ledger, today()) for season in read_seasons(ledger)), default=0),
            gaps=Counter(entry.problem or "" for entry in ledger.entries(GAP)),
            drills=_drills(ledger),
        )


def _drills(ledger: Ledger) -> dict[str, list[bool]]:
    answers: dict[str, list[bool]] = {}
    for entry in ledger.entries(DRILL):
        payload = ledger.payload(entry)
        answers.setdefault(str(payload["drill"]), []).append(bool(payload["right"]))
    return answers
