"""The frozen model of the roadmap's premise and its few rules: one field, one season, two small tries before."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen, Identifier


class SeasonRule(Frozen):
    """What it means to commit to a field."""

    min_weeks: int = Field(ge=1, description="shortest season")
    max_weeks: int = Field(ge=1, description="longest season that is planned in one go")
    rule: str = Field(min_length=40, description="the rule, as it is told to somebody who wants to switch")
    milestones: tuple[str, ...] = Field(min_length=2, description="what a season passes through, in order")


class TwoFieldRule(Frozen):
    """What to do before a field is chosen."""

    rule: str = Field(min_length=40, description="the rule")
    questions: tuple[str, ...] = Field(min_length=2, description="what to ask after both tries")


class Flagship(Frozen):
    """A project whose merged pull requests count."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name")
    fields: tuple[str, ...] = Field(min_length=1, description="the fields that it belongs to")
    guide: Identifier | None = Field(default=None, description="resource id of its guide for contributors")


class Charter(Frozen):
    """``curriculum/charter.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    title: str = Field(description="what the roadmap is called")
    checked: date = Field(description="the day on which its facts were last checked")
    premise: str = Field(min_length=40, description="why it is built as it is")
    survey: str = Field(min_length=40, description="what the first pass over the five fields is for")
    season: SeasonRule = Field(description="the commitment")
    two_fields: TwoFieldRule = Field(description="the rule before the commitment")
    flagships: tuple[Flagship, ...] = Field(min_length=1, description="one list for every place that names flagships")
