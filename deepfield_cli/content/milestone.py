"""The frozen models of projects, arena items, mastery signals, and the rubrics that attestations are held against."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from deepfield_cli.content.evidence import Rule
from deepfield_cli.content.problem import Frozen, Identifier, ProblemId
from deepfield_cli.content.resource import FieldName


class Milestone(Frozen):
    """Something that is reached by evidence of several kinds."""

    id: Identifier = Field(description="unique in the whole roadmap")
    title: str = Field(description="what it is called")
    why: str = Field(min_length=30, description="why it is worth doing")
    reached_when: str = Field(min_length=30, description="the rule in words, for the learner")
    evidence: Rule = Field(description="the rule that decides it")
    problems: tuple[ProblemId, ...] = Field(default=(), description="problems that lead to it")
    resources: tuple[Identifier, ...] = Field(default=(), description="where to start")
    notes: tuple[str, ...] = Field(default=(), description="what to know before starting")


class Choice(Frozen):
    """One field's version of a project."""

    field: FieldName = Field(description="whose version it is")
    build: str = Field(min_length=30, description="what to build and what to show")
    problems: tuple[ProblemId, ...] = Field(default=(), description="problems that are its parts")


class Project(Milestone):
    """Something larger than a problem, of the learner's own choosing."""

    summary: str = Field(min_length=40, description="what is to be made")
    steps: tuple[str, ...] = Field(min_length=2, description="how to go about it, in order")
    choices: tuple[Choice, ...] = Field(default=(), description="a version for each field")


class ArenaItem(Milestone):
    """A contest against problems that other people set."""

    difficulty: Literal["hard", "brutal", "legendary"] = Field(description="legendary exists only in the arena")


class Signal(Milestone):
    """A sign that a field is mastered."""


class Criterion(Frozen):
    """One question of a rubric; an honest yes or no."""

    id: Identifier = Field(description="unique within the rubric")
    ask: str = Field(min_length=20, description="the question")
    essential: bool = Field(default=False, description="true: without it nothing is attested")


class Rubric(Frozen):
    """What the learner answers when they vouch for something that no grader can see."""

    id: Identifier = Field(description="unique in the whole roadmap")
    title: str = Field(description="what is attested")
    covers: str = Field(min_length=20, description="what it is evidence for")
    hand_in: str = Field(min_length=20, description="what to attach, in words")
    attach: Literal["file", "link", "file-or-link"] = Field(description="what must be attached")
    counted: bool = Field(default=False, description="true: an attestation carries a count, e.g. problems solved")
    criteria: tuple[Criterion, ...] = Field(min_length=2, description="the questions")
    enough: int = Field(ge=1, description="questions that need a yes, the essential ones included")

    @model_validator(mode="after")
    def _can_be_met(self) -> Rubric:
        essential = sum(criterion.essential for criterion in self.criteria)
        if not essential <= self.enough <= len(self.criteria):
            raise ValueError(f"enough is {self.enough}, with {essential} essential of {len(self.criteria)} questions")
        names = [criterion.id for criterion in self.criteria]
        if len(set(names)) < len(names):
            raise ValueError("two criteria share an id")
        return self


class ProjectFile(Frozen):
    """``curriculum/projects.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    projects: tuple[Project, ...] = Field(min_length=1, description="the entries")


class ArenaFile(Frozen):
    """``curriculum/arena.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    arena: tuple[ArenaItem, ...] = Field(min_length=1, description="the entries")


class SignalFile(Frozen):
    """``curriculum/signals.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    signals: tuple[Signal, ...] = Field(min_length=1, description="the entries")


class RubricFile(Frozen):
    """``curriculum/rubrics.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    rubrics: tuple[Rubric, ...] = Field(min_length=1, description="the entries")
