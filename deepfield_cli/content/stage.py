"""The frozen models of a stage: its weeks, concepts, reading and what it takes to be done with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from deepfield_cli.content.evidence import Rule
from deepfield_cli.content.problem import Frozen, Identifier, ProblemId
from deepfield_cli.content.resource import StageId


class Weeks(Frozen):
    """How long a stage takes at a steady pace."""

    min: int = Field(ge=1, description="weeks for somebody who knows parts of it")
    max: int = Field(ge=1, description="weeks for somebody new to it")

    @model_validator(mode="after")
    def _in_order(self) -> Weeks:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class Concept(Frozen):
    """One idea of a stage."""

    id: Identifier = Field(description="unique in the whole roadmap")
    name: str = Field(description="as problems name it in their `concepts`")
    summary: str = Field(min_length=20, description="one plain sentence")
    learn: tuple[Identifier, ...] = Field(min_length=1, description="resources that teach it, best first")


class Reading(Frozen):
    """A resource on a stage's or a problem's list."""

    resource: Identifier = Field(description="id of the resource")
    part: str | None = Field(default=None, description="which part of it, or what to look for")


class Completion(Frozen):
    """One of the two ways to be done with a stage."""

    summary: str = Field(min_length=20, description="what it means, in one sentence")
    evidence: Rule = Field(description="the rule that decides it")


class DoneWhen(Frozen):
    """When a stage is done: a survey moves on, a season goes to the bottom."""

    summary: str = Field(min_length=20, description="what a learner can do then")
    survey: Completion = Field(description="enough to move to the next stage")
    season: Completion = Field(description="the field chosen, and taken to published numbers")


class Stage(Frozen):
    """One step of the roadmap."""

    format_version: Literal[1] = Field(description="version of this format")
    id: StageId = Field(description="the field's short name, also the first part of its problems' ids")
    aliases: tuple[Identifier, ...] = Field(default=(), description="other names under which it is found")
    number: int = Field(ge=1, description="its place on the road")
    title: str = Field(description="what the field is called")
    tagline: str = Field(description="its character, in a few words")
    weeks: Weeks = Field(description="how long it takes")
    repeatable: bool = Field(default=False, description="true if each season goes through it again")
    summary: str = Field(min_length=40, description="what the stage is about")
    concepts: tuple[Concept, ...] = Field(min_length=1, description="its ideas, in learning order")
    read: tuple[Reading, ...] = Field(min_length=1, description="what to read, in order")
    watch: tuple[Reading, ...] = Field(min_length=1, description="what to watch, in order")
    problems: tuple[ProblemId, ...] = Field(min_length=1, description="its problems, in order")
    done_when: DoneWhen = Field(description="when it is done")
