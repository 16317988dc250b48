"""What the author's judge found: findings, the kill matrix and the totals, as one frozen document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen
from deepfield_cli.grading.result import CheckResult, Outcome


class Finding(Frozen):
    """One thing that is not green."""

    where: str = Field(description="file, with the line where there is one")
    what: str = Field(description="what is wrong, in one sentence")
    fix: str | None = Field(default=None, description="what to do about it")

    def __str__(self) -> str:
        """One line, like every error of deepfield."""
        return f"{self.where}: {self.what}" + (f" — {self.fix}" if self.fix else "")


class WrongRow(Frozen):
    """One wrong submission: a row of the kill matrix."""

    name: str = Field(description="file or folder below wrong/")
    check: str = Field(description="the check that its first line names")
    diagnosis: str | None = Field(description="the diagnosis that its first line names; null for none")
    outcomes: dict[str, Outcome] = Field(description="outcome of every check, in suite order")
    killed: bool = Field(description="the named check is the first that failed, with the named diagnosis")


class SolutionRow(Frozen):
    """One right submission."""

    name: str = Field(description="file or folder below solutions/")
    runs: int = Field(description="consecutive runs with fresh seeds")
    solved: int = Field(description="how many of them solved the problem")


class ProblemReport(Frozen):
    """Everything that was found about one problem."""

    problem: str = Field(description="problem id")
    pack: str = Field(description="the pack that it came from")
    checks: tuple[str, ...] = Field(default=(), description="checks of the core rung, in suite order")
    wrongs: tuple[WrongRow, ...] = Field(default=(), description="the kill matrix")
    solutions: tuple[SolutionRow, ...] = Field(default=(), description="right submissions")
    strange_answers: int = Field(default=0, description="submissions tried in which a function answers strangely")
    findings: tuple[Finding, ...] = Field(default=(), description="everything that is not green")
    seconds: float = Field(default=0.0, description="wall-clock seconds")

    @property
    def green(self) -> bool:
        """Nothing was found."""
        return not self.findings

    @property
    def killed(self) -> int:
        """Wrong submissions that fail exactly as they say."""
        return sum(row.killed for row in self.wrongs)


class CheckReport(Frozen):
    """What ``deepfield dev check`` found."""

    schema_version: Literal[1] = Field(default=1, description="version of this document's format")
    problems: tuple[ProblemReport, ...] = Field(description="in the order in which they were asked for")
    seconds: float = Field(description="wall-clock seconds")

    @property
    def green(self) -> bool:
        """Every problem is green, and there is at least one."""
        return bool(self.problems) and all(problem.green for problem in self.problems)


def first_failure(results: tuple[CheckResult, ...] | list[CheckResult]) -> CheckResult | None:
    """The first check that failed, in suite order."""
    return next((result for result in results if result.outcome == "failed"), None)


def diagnosis_of(result: CheckResult | None) -> str | None:
    """The name of the mistake that a result carries."""
    return result.cause.diagnosis if result is not None and result.cause is not None else None
