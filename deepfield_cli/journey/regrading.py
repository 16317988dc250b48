"""Grading again: an attempt's stored files, with its stored seed, in a fresh worker."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.grade import Grade, GradeRequest, grade
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles


@dataclass(frozen=True)
class StoredAttempt:
    """An attempt with everything that was kept with it."""

    entry: Entry
    payload: Mapping[str, Any]
    files: Mapping[str, bytes]

    @property
    def checks(self) -> dict[str, str]:
        """Outcome by check."""
        return {check["name"]: check["outcome"] for check in self.payload["checks"]}


@dataclass(frozen=True)
class Again:
    """What is graded again, and with which of the user's files."""

    only: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)


def stored_attempt(ledger: Ledger, entry: Entry) -> StoredAttempt:
    """Read everything that was kept with an attempt."""
    stored = StoredAttempt(entry, ledger.payload(entry), ledger.files(entry))
    if not stored.files:
        raise WorkspaceError(f"no files were kept with attempt {entry.id}", fix="deepfield history lists the others")
    return stored


def grade_again(workspace: Workspace, attempt: StoredAttempt, pool: WarmPool, again: Again | None = None) -> Grade:
    """Grade a stored attempt with its own seed; nothing is recorded.

    Raises:
        DeepfieldError: the problem is gone, or its rung cannot run here.

    """
    wish = again or Again()
    location = find_location(attempt.entry.problem or "")
    with tempfile.TemporaryDirectory(prefix="deepfield-again-") as folder:
        SubmissionFiles(attempt.files, "").write_to(Path(folder))
        request = GradeRequest(
            location,
            Path(folder),
            rung=attempt.payload["rung"],
            seed=attempt.payload["seed"],
            only=wish.only,
            data=wish.data,
            hidden=(workspace.private,),
        )
        return grade(request, pool)
