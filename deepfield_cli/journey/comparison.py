"""Two attempts side by side: which lines changed, and which checks turned."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.attempts import find_attempt
from deepfield_cli.journey.past_attempt import ATTEMPT, PastAttempt, past_attempt
from deepfield_cli.journey.workspace import Workspace, choose_problem
from deepfield_cli.ledger import Entry, Ledger


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that is not the same on both sides.

    Attributes:
        name: its path in the problem's folder.
        lines: a unified diff; empty for a file that is no text.
        before_bytes: its size before; None if it was not there.
        after_bytes: its size after; None if it is gone.

    """

    name: str
    lines: tuple[str, ...]
    before_bytes: int | None
    after_bytes: int | None


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check whose outcome is not the same on both sides; None where it was not run."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What lies between two attempts, or between an attempt and the files as they are now.

    Attributes:
        problem: problem id.
        before: the earlier attempt.
        after: the later attempt; None for the files as they are now.
        files: files that differ.
        checks: checks that turned.

    """

    problem: str
    before: PastAttempt
    after: PastAttempt | None
    files: tuple[FileChange, ...]
    checks: tuple[CheckChange, ...]


def compare(workspace: Workspace, first: int | None, second: int | None) -> Comparison:
    """Compare two attempts; an attempt with the files of now; or, if none is named, the last two of the problem."""
    with workspace.record() as ledger:
        if first is None:
            return _between(ledger, *_last_two(workspace, ledger))
        before = find_attempt(ledger, first)
        if second is None:
            return _with_files_of_now(workspace, ledger, before)
        after = find_attempt(ledger, second)
        if before.problem != after.problem:
            raise WorkspaceError(
                f"attempt {first} is at {before.problem} and attempt {second} at {after.problem}",
                fix="compare two attempts at one problem",
            )
        return _between(ledger, before, after)


def _last_two(workspace: Workspace, ledger: Ledger) -> tuple[Entry, Entry]:
    problem = choose_problem(workspace, None).id
    entries = ledger.entries(ATTEMPT, problem, limit=2)
    if len(entries) < 2:
        raise WorkspaceError(
            f"there are not yet two attempts at {problem}", fix="deepfield diff NUMBER compares one with your files now"
        )
    return entries[1], entries[0]


def _between(ledger: Ledger, before: Entry, after: Entry) -> Comparison:
    was, now = ledger.payload(before), ledger.payload(after)
    return Comparison(
        problem=before.problem or "",
        before=past_attempt(before, was),
        after=past_attempt(after, now),
        files=_file_changes(ledger.files(before), ledger.files(after)),
        checks=_check_changes(was, now),
    )


def _with_files_of_now(workspace: Workspace, ledger: Ledger, before: Entry) -> Comparison:
    from deepfield_cli.sandbox.staging import read_submission

    problem = before.problem or ""
    files = read_submission(workspace.folder(problem), "").files
    attempt = past_attempt(before, ledger.payload(before))
    return Comparison(problem, attempt, None, _file_changes(ledger.files(before), files), ())


def _file_changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[FileChange, ...]:
    names = sorted({*before, *after})
    return tuple(
        _file_change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _file_change(name: str, before: bytes | None, after: bytes | None) -> FileChange:
    was, now = _lines(before), _lines(after)
    lines: tuple[str, ...] = ()
    if was is not None and now is not None:
        lines = tuple(difflib.unified_diff(was, now, "before", "after", lineterm=""))[2:]
    sizes = [None if content is None else len(content) for content in (before, after)]
    return FileChange(name, lines, *sizes)


def _lines(content: bytes | None) -> list[str] | None:
    """The lines of a text; None for anything else."""
    if content is None:
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    # only "\n" ends a line: others are shown, since they may be what changed
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], f"{lines[-1]}  (no newline at the end)"]


def _check_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[CheckChange, ...]:
    was = {check["name"]: check["outcome"] for check in before["checks"]}
    now = {check["name"]: check["outcome"] for check in after["checks"]}
    return tuple(
        CheckChange(name, was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)
    )
