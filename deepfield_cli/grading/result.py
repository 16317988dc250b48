"""The grade result: one versioned JSON document that others may rely on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen, Rung

Outcome = Literal["passed", "failed", "skipped", "errored"]


class Cause(Frozen):
    """Why a check did not pass; present if and only if it did not."""

    rationale: str = Field(description="what is wrong, for the learner")
    help: str | None = Field(default=None, description="what to look at next")
    diagnosis: str | None = Field(default=None, description="the mistake's name, if it is known")
    expected: str | None = Field(default=None, description="what was expected, at most a few lines")
    actual: str | None = Field(default=None, description="what came instead, or the learner's own traceback")
    author: str | None = Field(default=None, description="for the author: the grader's traceback; only if errored")


class CheckResult(Frozen):
    """One check of one grade."""

    name: str = Field(description="the check's id")
    description: str = Field(description="what it promises, for the learner")
    outcome: Outcome = Field(
        description="passed, failed, skipped (a check it needs did not pass) or errored (grader fault)"
    )
    points: int = Field(description="its weight in the score")
    seconds: float = Field(description="wall-clock seconds on the grader's clock")
    metrics: dict[str, float] = Field(default_factory=dict, description="numbers that the check measured")
    cause: Cause | None = Field(default=None, description="present if and only if the outcome is not passed")
    output: str = Field(default="", description="what the learner's code printed, capped")


class PackReference(Frozen):
    """The pack that a problem came from."""

    name: str = Field(description="the pack's name")
    version: str = Field(description="version of deepfield for the built-in pack")


def fault_document(problem: str | None, rung: str, fault: str) -> dict[str, Any]:
    """What stands in place of a result where no grade could be given: the fields that others rely on, and why."""
    document = {"schema_version": 1, "problem": problem, "rung": rung, "score": None, "solved": False}
    return {**document, "seed": None, "isolation": None, "checks": [], "fault": fault}


class GradeResult(Frozen):
    """Everything that is known about one grade."""

    schema_version: Literal[1] = Field(default=1, description="version of this document's format")
    problem: str = Field(description="problem id")
    problem_version: int = Field(description="the problem's version")
    title: str = Field(description="the problem's title")
    rung: Rung = Field(description="core, laptop or paper")
    score: float | None = Field(description="share of points passed, 0 to 1; null when any check errored")
    solved: bool = Field(description="every check of the rung ran and passed")
    partial: bool = Field(default=False, description="only some checks were asked for: no verdict on the rung")
    points: int = Field(description="points of the checks that passed")
    points_possible: int = Field(description="points of all checks that were asked for")
    seed: int = Field(description="run seed; --seed replays the run")
    isolation: str = Field(description="what confined the submission, e.g. landlock+seccomp, or process")
    pack: PackReference = Field(description="where the problem came from")
    suite_digest: str = Field(description="SHA-256 of the grader's files")
    submission_digest: str = Field(description="SHA-256 of the files that were graded")
    submission_files: tuple[str, ...] = Field(description="the files that were graded")
    started_at: str = Field(description="UTC, ISO 8601")
    seconds: float = Field(description="wall-clock seconds of the whole grade")
    environment: dict[str, str] = Field(description="versions and device")
    checks: tuple[CheckResult, ...] = Field(description="every check of the rung, in suite order")
    notes: tuple[str, ...] = Field(default=(), description="advice that does not change the verdict")
    fault: str | None = Field(default=None, description="why the grader could not do its work; null in a sound grade")

    @property
    def exit_code(self) -> int:
        """0 solved, 1 not solved, 3 grader or sandbox fault; a partial run is judged by its own checks."""
        if self.fault is not None or self.score is None:
            return 3
        if self.partial:
            return 0 if self.points == self.points_possible else 1
        return 0 if self.solved else 1

    def first_failure(self) -> CheckResult | None:
        """The first check that failed, in suite order."""
        return next((check for check in self.checks if check.outcome == "failed"), None)
