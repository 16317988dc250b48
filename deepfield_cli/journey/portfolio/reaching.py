"""Milestones that were reached, each with the weakest evidence that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deepfield_cli.journey.facts import read_facts
from deepfield_cli.journey.portfolio.vouched import EvidenceKind
from deepfield_cli.journey.rules import decide
from deepfield_cli.journey.workspace import Workspace

if TYPE_CHECKING:
    from deepfield_cli.content.roadmap import Roadmap


@dataclass(frozen=True, slots=True)
class Reaching:
    """A project, arena item or mastery signal that was reached, and the weakest evidence that it rests on."""

    kind: Literal["project", "arena", "signal"]
    title: str
    evidence: EvidenceKind


def reachings(workspace: Workspace, roadmap: Roadmap) -> tuple[Reaching, ...]:
    """Every project, arena item and signal whose evidence is on the record."""
    facts = read_facts(workspace)
    found = []
    shelves = (("project", roadmap.projects), ("arena", roadmap.arena), ("signal", roadmap.signals))
    for kind, items in shelves:
        for item in items.values():
            part = decide(item.evidence.model_dump(mode="json"), facts)
            if part.holds and part.evidence is not None:
                found.append(Reaching(kind, item.title, part.evidence))  # type: ignore[arg-type]
    return tuple(found)
