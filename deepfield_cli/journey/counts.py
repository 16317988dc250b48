"""What the record adds up to, as far as the home screen needs it: rungs solved and things attested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from deepfield_cli.journey.status import ProblemStatus
from deepfield_cli.ledger import Ledger

# Written by `attest`, `gap add`, `confirm` (payload: what, value) and drills (payload: drill, right).
ATTEST, GAP, CONFIRM, DRILL = "attest", "gap", "confirm", "drill"


def solved_rungs(problems: Iterable[ProblemStatus]) -> frozenset[tuple[str, str]]:
    """The rungs that the checks of today count as solved."""
    return frozenset((one.problem.id, rung.rung) for one in problems for rung in one.rungs if rung.is_solved)


def confirmed_counts(ledger: Ledger) -> dict[str, int]:
    """What an outside service said, and the highest count or rating that it gave."""
    highest: dict[str, int] = {}
    for entry in ledger.entries(CONFIRM):
        payload = ledger.payload(entry)
        what, value = str(payload["what"]), int(payload.get("value", 1))
        highest[what] = max(value, highest.get(what, 0))
    return highest


def attested_counts(ledger: Ledger) -> dict[str, int]:
    """Rubric to the sum of what was attested against it."""
    counts: Counter[str] = Counter()
    for entry in ledger.entries(ATTEST):
        payload = ledger.payload(entry)
        counts[str(payload["rubric"])] += int(payload.get("count", 1))
    return counts
