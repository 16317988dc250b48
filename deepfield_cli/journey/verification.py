"""Verification: the past is as it was written, and stored attempts come out as they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.result import GradeResult
from deepfield_cli.journey.attempts import find_attempt
from deepfield_cli.journey.comparison import CheckChange
from deepfield_cli.journey.regrading import Again, StoredAttempt, grade_again, stored_attempt
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import ChainReport, Ledger
from deepfield_cli.sandbox.pool import WarmPool


@dataclass(frozen=True)
class Regrade:
    """A stored attempt that was graded again.

    Attributes:
        number: the attempt.
        problem: its problem.
        rung: its rung.
        score_before: the score on record.
        score_now: the score of today.
        checks: how many checks were compared.
        turned: checks that came out otherwise.
        suite_changed: the checks are not those of then, which may be why.
        fault: the grader broke this time.
        obstacle: why it could not be graded here; nothing is compared then.

    """

    number: int
    problem: str
    rung: str
    score_before: float | None
    score_now: float | None
    checks: int
    turned: tuple[CheckChange, ...]
    suite_changed: bool
    fault: bool = False
    obstacle: str | None = None

    @property
    def same(self) -> bool:
        """Whether every check came out as on record."""
        return not self.turned and not self.fault


@dataclass(frozen=True)
class Verification:
    """What was found."""

    chain: ChainReport
    regrades: tuple[Regrade, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written, and came out as it did."""
        return self.chain.ok and all(regrade.same for regrade in self.regrades)

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 something does not agree, 3 the grader broke."""
        if self.chain.ok and any(regrade.fault for regrade in self.regrades):
            return 3
        return 0 if self.ok else 1


def verify(
    workspace: Workspace, number: int | None, *, regrade: bool, data: Mapping[str, Path] | None = None
) -> Verification:
    """Check the record again; then grade again one attempt, or what solves each problem today.

    A record that was changed is reported before anything is graded: what would be compared is not to be trusted.

    Raises:
        DeepfieldError: the attempt that was named cannot be graded here.

    """
    with workspace.record() as ledger:
        chain = ledger.verify()
        attempts = _attempts(ledger, number, regrade=regrade) if chain.ok else []
    again = Again(data=data or {})
    with WarmPool() as pool:
        regrades = [_regrade(workspace, attempt, pool, again, strict=number is not None) for attempt in attempts]
    return Verification(chain, tuple(regrades))


def _attempts(ledger: Ledger, number: int | None, *, regrade: bool) -> list[StoredAttempt]:
    """The attempt that was named, else the newest that solved each rung."""
    if number is not None:
        return [stored_attempt(ledger, find_attempt(ledger, number))]
    if not regrade:
        return []
    solving = [row.solving_entry for row in ledger.progress() if row.solving_entry is not None]
    return [stored_attempt(ledger, ledger.entry(entry)) for entry in solving]


def _regrade(workspace: Workspace, attempt: StoredAttempt, pool: WarmPool, again: Again, *, strict: bool) -> Regrade:
    try:
        return _compare(attempt, grade_again(workspace, attempt, pool, again).result)
    except DeepfieldError as error:
        if strict:
            raise
        return _obstructed(attempt, str(error))


def _obstructed(attempt: StoredAttempt, obstacle: str) -> Regrade:
    entry = attempt.entry
    return Regrade(
        number=entry.id,
        problem=entry.problem or "",
        rung=entry.rung or "",
        score_before=entry.score,
        score_now=None,
        checks=0,
        turned=(),
        suite_changed=False,
        obstacle=obstacle,
    )


def _compare(attempt: StoredAttempt, result: GradeResult) -> Regrade:
    was, now = attempt.checks, {check.name: check.outcome for check in result.checks}
    turned = [
        CheckChange(name, was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)
    ]
    return Regrade(
        number=attempt.entry.id,
        problem=result.problem,
        rung=result.rung,
        score_before=attempt.entry.score,
        score_now=result.score,
        checks=len(now),
        turned=tuple(turned),
        suite_changed=attempt.payload["suite_digest"] != result.suite_digest,
        fault=result.score is None,
    )
