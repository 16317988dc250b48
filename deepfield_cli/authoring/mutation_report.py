"""What became of the mutants of a solution, as one frozen document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.problem import Frozen

Fate = Literal["killed", "survived", "broke the suite"]


class MutantRow(Frozen):
    """What became of one mutant."""

    mutant: str = Field(description="key, line:column, kind, old→new; goes into mutants.yaml")
    solution: str = Field(description="the file below solutions/ that was changed")
    function: str = Field(description="the function that was changed")
    before: str = Field(description="the statement, on one line")
    after: str = Field(description="the statement with the change; empty where it is dropped")
    fate: Fate = Field(description="killed: a check failed; survived: none did")
    by: str | None = Field(default=None, description="the check that decided it")
    how: str | None = Field(default=None, description="its diagnosis, or the last line of the suite's own error")
    reason: str | None = Field(default=None, description="why it may survive, from mutants.yaml")


class MutationReport(Frozen):
    """What ``deepfield dev mutate`` found."""

    schema_version: Literal[1] = Field(default=1, description="version of this document's format")
    problem: str = Field(description="problem id")
    solution: str = Field(description="file or folder below solutions/")
    possible: int = Field(description="mutants that there are; more than mutants if a limit was set")
    mutants: tuple[MutantRow, ...] = Field(description="what became of each, in the order of the file")
    stale: tuple[Finding, ...] = Field(description="entries of mutants.yaml that explain nothing")
    seconds: float = Field(description="wall-clock seconds")

    def of_fate(self, fate: Fate) -> list[MutantRow]:
        """The mutants that met this fate."""
        return [row for row in self.mutants if row.fate == fate]

    @property
    def unexplained(self) -> list[MutantRow]:
        """Survivors without a reason."""
        return [row for row in self.of_fate("survived") if row.reason is None]

    @property
    def green(self) -> bool:
        """Something was tried, every survivor has its reason, every reason its survivor, and no check broke."""
        return bool(self.mutants) and not (self.unexplained or self.stale or self.of_fate("broke the suite"))
