"""The errors that reach a person, in one tree.

    DeepfieldError            the user can put it right: what, where, what to do; one line, no traceback; exit code 2
    ├── ContentError          a pack, a problem or a YAML file is not what it should be
    ├── WorkspaceError        no workspace, a read-only folder, a file in the way
    ├── LedgerError           progress.db cannot be read or written
    └── SandboxError          the worker could not be started: our fault or the machine's; exit code 3

    CheckFailed               the learner's work does not do what a check promises (grading/outcome.py)

Anything else is a bug of deepfield itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DeepfieldError(Exception):
    """Something the user can put right, told in one line: what, where, and what to do."""

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """One line, in the order that a reader needs it."""
        place = f"{self.where}: " if self.where else ""
        remedy = f" — {self.fix}" if self.fix else ""
        return f"{place}{self.what}{remedy}"


class ContentError(DeepfieldError):
    """A pack, a problem or a YAML file is not what it should be."""


class WorkspaceError(DeepfieldError):
    """The learner's folder is missing, unwritable or in the way."""


class LedgerError(DeepfieldError):
    """The record of attempts cannot be read or written."""


class SandboxError(DeepfieldError):
    """The worker process could not be started or talked to; never the learner's failure."""

    exit_code = 3


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "x"?`` for the closest known word, or an empty string."""
    candidates = list(known)
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if not close and "/" not in word:
        close = [name for name in candidates if name.rpartition("/")[2] == word][:1]
    return f'did you mean "{close[0]}"?' if close else ""


class CheckFailed(Exception):
    """The learner's work does not do what a check promises; everything in it is written for the learner."""

    def __init__(
        self,
        rationale: str,
        help: str | None = None,
        expected: str | None = None,
        actual: str | None = None,
        diagnosis: str | None = None,
    ) -> None:
        super().__init__(rationale)
        self.rationale = rationale
        self.help = help
        self.expected = expected
        self.actual = actual
        self.diagnosis = diagnosis
