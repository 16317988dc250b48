"""The frozen model of a problem as the roadmap knows it, whether or not its grader exists yet."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from deepfield_cli.content.problem import Api, Difficulty, Frozen, Identifier, ProblemId, Rung, Target
from deepfield_cli.content.stage import Reading


class RoadmapTarget(Target):
    """A published or computed number, and whether it is the bar or only a point of comparison."""

    value: float | int = Field(description="the number")
    pass_mark: bool = Field(default=False, description="true: the rung is measured against it; only if verified")
    note: str | None = Field(default=None, description="how to read it")

    @model_validator(mode="after")
    def _pass_marks_are_verified(self) -> RoadmapTarget:
        if self.pass_mark and not self.verified:
            raise ValueError(f'target "{self.id}" is not verified, so it cannot be a pass mark')
        return self


class RoadmapProblem(Frozen):
    """One problem of the roadmap: enough for a brief and a reading list before its grader exists."""

    id: ProblemId = Field(description="field/slug; never renamed")
    aliases: tuple[ProblemId, ...] = Field(default=(), description="longer names under which it is found")
    title: str = Field(description="what the problem is called")
    difficulty: Difficulty = Field(description="medium, hard, brutal or legendary")
    goal: str = Field(min_length=40, description="what is to be built and shown")
    why: str = Field(min_length=40, description="why it is worth the learner's weeks")
    concepts: tuple[Identifier, ...] = Field(min_length=1, description="ids of the concepts that it exercises")
    needs: tuple[ProblemId, ...] = Field(default=(), description="problems to solve before")
    soft_needs: tuple[ProblemId, ...] = Field(default=(), description="problems that help")
    any_of: tuple[ProblemId, ...] = Field(default=(), description="at least one of these is needed before")
    gpu: Literal["none", "one", "multi"] = Field(description="what the paper rung needs; lower rungs need none")
    rungs: dict[Rung, str] = Field(min_length=1, description="the rungs that it has, and what each shows")
    entry: str = Field(description="the file or folder that the learner fills in")
    files: tuple[str, ...] = Field(default=(), description="further files that the learner writes")
    api: tuple[Api, ...] = Field(default=(), description="everything that the grader calls")
    targets: tuple[RoadmapTarget, ...] = Field(default=(), description="numbers to reach or to compare with")
    resources: tuple[Reading, ...] = Field(min_length=1, description="what to read for it, in order")
    overlaps: tuple[str, ...] = Field(default=(), description="ids of things that are met by the same work")
    notes: tuple[str, ...] = Field(default=(), description="traps of the task's statement, one sentence each")
    hand_in: str | None = Field(default=None, description="the command that grades it, where no pack does")

    @property
    def field(self) -> str:
        """The stage that the problem belongs to."""
        return self.id.partition("/")[0]

    @property
    def slug(self) -> str:
        """The last part of the id."""
        return self.id.partition("/")[2]

    @model_validator(mode="after")
    def _targets_stand_on_rungs(self) -> RoadmapProblem:
        for target in self.targets:
            if target.rung not in self.rungs:
                raise ValueError(f'target "{target.id}" names rung "{target.rung}", which this problem does not have')
        return self


class ProblemFile(Frozen):
    """One file of ``curriculum/problems/``."""

    format_version: Literal[1] = Field(description="version of this format")
    problems: tuple[RoadmapProblem, ...] = Field(min_length=1, description="the entries, in learning order")
