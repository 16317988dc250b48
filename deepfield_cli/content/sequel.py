"""The frozen models of what comes after a field clicked: sequels, the frontier, rabbit holes, and corrected facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen, Identifier, ProblemId
from deepfield_cli.content.resource import FieldName, StageId


class SequelStep(Frozen):
    """One step of a path onwards."""

    title: str = Field(description="what to take up")
    why: str = Field(min_length=20, description="what it adds")
    resources: tuple[Identifier, ...] = Field(default=(), description="where to start")
    problems: tuple[ProblemId, ...] = Field(default=(), description="problems on the way")


class Sequel(Frozen):
    """Where to go if a field clicked."""

    id: Identifier = Field(description="unique in the whole roadmap")
    field: FieldName = Field(description="the field that clicked")
    title: str = Field(description="if it clicks, then this")
    steps: tuple[SequelStep, ...] = Field(min_length=2, description="in order")


class FrontierTopic(Frozen):
    """An open question worth following each week."""

    id: Identifier = Field(description="unique in the whole roadmap")
    title: str = Field(description="what people call it")
    summary: str = Field(min_length=30, description="what it is about")
    question: str = Field(min_length=20, description="the question to hold an opinion on")
    fields: tuple[FieldName, ...] = Field(min_length=1, description="the fields that it belongs to")
    resources: tuple[Identifier, ...] = Field(min_length=1, description="where to start")


class RabbitHole(Frozen):
    """A small question that leads a long way; for an evening, not for a plan."""

    id: Identifier = Field(description="unique in the whole roadmap")
    title: str = Field(description="the question")
    stage: StageId = Field(description="where it turns up")
    hook: str = Field(min_length=30, description="why it is stranger than it looks")
    first_step: str = Field(min_length=20, description="what to try in the first hour")
    resources: tuple[Identifier, ...] = Field(min_length=1, description="where to start")
    problems: tuple[ProblemId, ...] = Field(default=(), description="problems that it grows out of")


class Correction(Frozen):
    """A fact that is often quoted wrongly, and what this roadmap says instead."""

    id: Identifier = Field(description="unique in the whole roadmap")
    issue: str = Field(min_length=20, description="what is wrong or ambiguous elsewhere")
    resolution: str = Field(min_length=20, description="what this roadmap does about it")
    settled_in: tuple[str, ...] = Field(min_length=1, description="ids of what carries the resolution")
    verified: bool = Field(description="true: the issue was confirmed in a public source")


class OnwardFile(Frozen):
    """``curriculum/onward.yaml``: sequels, frontier topics and rabbit holes."""

    format_version: Literal[1] = Field(description="version of this format")
    sequels: tuple[Sequel, ...] = Field(min_length=1, description="one per field")
    frontier: tuple[FrontierTopic, ...] = Field(min_length=1, description="open questions")
    rabbit_holes: tuple[RabbitHole, ...] = Field(min_length=1, description="small questions")


class CorrectionFile(Frozen):
    """``curriculum/corrections.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    corrections: tuple[Correction, ...] = Field(min_length=1, description="the entries")
