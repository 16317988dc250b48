"""The frozen models of what a learner reads, watches or follows: every link with its id and its checked date."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen, Identifier

FieldName = Literal["llm", "vision", "rl", "recsys", "mlsys"]
StageId = Literal["llm", "vision", "rl", "recsys", "mlsys", "summit"]
ResourceKind = Literal[
    "paper", "course", "video", "repo", "book", "blog", "site", "community", "competition", "conference"
]
Shelf = Literal["blog", "newsletter", "community", "competition", "conference"]
Status = Literal["live", "maintenance", "archived", "deprecated", "gone"]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]

FIELDS: tuple[FieldName, ...] = ("llm", "vision", "rl", "recsys", "mlsys")
SHELVES: tuple[Shelf, ...] = ("blog", "newsletter", "community", "competition", "conference")


class Address(Frozen):
    """One web address and whether it was confirmed."""

    url: Url = Field(description="the address")
    verified: bool = Field(description="true: a public source shows this address; false: from memory")


class Linked(Frozen):
    """Anything with an address of its own."""

    id: Identifier = Field(description="unique in the whole roadmap; never renamed")
    url: Url = Field(description="where it is; no two resources share one")
    verified: bool = Field(description="true: a public source shows this address; false: from memory")
    checked: date = Field(description="the day on which `verified` was last settled")
    alt_urls: tuple[Address, ...] = Field(default=(), description="other places of the same thing, or parts of it")
    note: str = Field(min_length=10, description="what it is good for, in the project's own words")

    def addresses(self) -> tuple[Address, ...]:
        """Every address, the main one first."""
        return (Address(url=self.url, verified=self.verified), *self.alt_urls)


class Resource(Linked):
    """Something to read, watch, run, join or enter; each stands in the roadmap exactly once."""

    aliases: tuple[Identifier, ...] = Field(default=(), description="other names under which it is found")
    kind: ResourceKind = Field(description="what it is")
    title: str = Field(description="as its authors call it")
    authors: str = Field(description="who made it")
    year: int | None = Field(default=None, ge=1900, le=2100, description="of first publication, where known")
    fields: tuple[StageId, ...] = Field(default=(), description="stages that it serves; empty: all of them")
    shelves: tuple[Shelf, ...] = Field(default=(), description="lists on which it is shown, beside its stage")
    status: Status = Field(default="live", description="whether it is kept up")
    replaced_by: Identifier | None = Field(default=None, description="the resource to use instead")


class Person(Linked):
    """Somebody whose work is worth following."""

    name: str = Field(description="as they sign")
    fields: tuple[FieldName, ...] = Field(min_length=1, description="the fields that they shaped")
    known_for: str = Field(description="their best-known work")
    works: tuple[Identifier, ...] = Field(default=(), description="ids of their resources in this roadmap")


class ResourceFile(Frozen):
    """One file of ``curriculum/resources/``."""

    format_version: Literal[1] = Field(description="version of this format")
    resources: tuple[Resource, ...] = Field(min_length=1, description="the entries")


class PeopleFile(Frozen):
    """``curriculum/people.yaml``."""

    format_version: Literal[1] = Field(description="version of this format")
    people: tuple[Person, ...] = Field(min_length=1, description="the entries")
