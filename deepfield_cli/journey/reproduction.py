"""Reproduction: a failed check of an earlier attempt run again, and written down as a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError, near_miss
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.journey.attempts import find_attempt
from deepfield_cli.journey.regrading import Again, StoredAttempt, grade_again, stored_attempt
from deepfield_cli.journey.repros import keep_repros
from deepfield_cli.journey.workspace import Workspace, choose_problem
from deepfield_cli.sandbox.pool import WarmPool


@dataclass(frozen=True)
class Reproduction:
    """A failed check, written down.

    Attributes:
        number: the attempt.
        check: what failed, as it fails now.
        script: the script to run.
        files_changed: the learner's files are no longer those of the attempt, so the script may find no difference.

    """

    number: int
    check: CheckResult
    script: Path
    files_changed: bool


def reproduce(
    workspace: Workspace,
    wanted: str | None,
    number: int | None,
    check: str | None,
    data: Mapping[str, Path],
) -> Reproduction:
    """Run a failed check again with the stored files and seed, and write its inputs and a script.

    Raises:
        WorkspaceError: there is nothing that failed, or it no longer does.

    """
    attempt = _attempt(workspace, wanted, number)
    name = _failed_check(attempt, check)
    with WarmPool() as pool:
        grade = grade_again(workspace, attempt, pool, Again(only=(name,), data=data))
    result = next(one for one in grade.result.checks if one.name == name)
    if not grade.failures:
        raise WorkspaceError(
            f"{name} of attempt {attempt.entry.id} does not fail now",
            fix="its suite or a library has changed since" if result.outcome == "passed" else "deepfield doctor",
        )
    scripts = keep_repros(workspace, grade)
    if not scripts:
        raise WorkspaceError(
            "the script cannot be written", where=str(workspace.repro), fix="check space and permissions"
        )
    return Reproduction(attempt.entry.id, result, scripts[0], _have_changed(workspace, attempt))


def _attempt(workspace: Workspace, wanted: str | None, number: int | None) -> StoredAttempt:
    location = choose_problem(workspace, wanted) if wanted is not None or number is None else None
    with workspace.record() as ledger:
        entry = find_attempt(ledger, number, location)
        if location is not None and entry.problem != location.id:
            raise WorkspaceError(f"attempt {entry.id} is at {entry.problem}, not at {location.id}")
        return stored_attempt(ledger, entry)


def _failed_check(attempt: StoredAttempt, wanted: str | None) -> str:
    """The check that was asked for, else the first that failed."""
    number, checks = attempt.entry.id, attempt.checks
    if wanted is None:
        failed = next((name for name, outcome in checks.items() if outcome == "failed"), None)
        if failed is None:
            raise WorkspaceError(f"no check failed in attempt {number}", fix="deepfield history lists the others")
        return failed
    if wanted not in checks:
        raise WorkspaceError(
            f'attempt {number} has no check "{wanted}"',
            fix=near_miss(wanted, checks) or f"it has {', '.join(checks)}",
        )
    if checks[wanted] == "passed":
        raise WorkspaceError(f"{wanted} passed in attempt {number}: there is nothing to reproduce")
    return wanted


def _have_changed(workspace: Workspace, attempt: StoredAttempt) -> bool:
    folder = workspace.folder(attempt.entry.problem or "")
    try:
        return any((folder / name).read_bytes() != content for name, content in attempt.files.items())
    except OSError:
        return True
