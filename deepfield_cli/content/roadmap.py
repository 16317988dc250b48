"""The whole roadmap as one frozen model that serialises to JSON and answers to any id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field

from deepfield_cli.content.charter import Charter
from deepfield_cli.content.milestone import ArenaItem, Project, Rubric, Signal
from deepfield_cli.content.problem import Frozen
from deepfield_cli.content.quiz import Quiz
from deepfield_cli.content.resource import Person, Resource, Shelf
from deepfield_cli.content.roadmap_problem import RoadmapProblem
from deepfield_cli.content.sequel import Correction, FrontierTopic, RabbitHole, Sequel
from deepfield_cli.content.stage import Concept, Stage
from deepfield_cli.errors import ContentError, near_miss

Item = (
    Stage | Concept | RoadmapProblem | Resource | Person | Project | ArenaItem | Signal | Rubric
    | Sequel | FrontierTopic | RabbitHole | Correction
)  # fmt: skip
Kind = Literal[
    "stage", "concept", "problem", "resource", "person", "project", "arena", "signal", "rubric",
    "sequel", "frontier", "rabbit-hole", "correction",
]  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What an id or an alias stands for."""

    kind: Kind
    item: Item


class Roadmap(Frozen):
    """Everything there is to learn, by id."""

    charter: Charter = Field(description="premise and rules")
    stages: dict[str, Stage] = Field(description="by id, in order")
    problems: dict[str, RoadmapProblem] = Field(description="by id, in learning order")
    resources: dict[str, Resource] = Field(description="by id; each link once")
    people: dict[str, Person] = Field(description="by id")
    projects: dict[str, Project] = Field(description="by id")
    arena: dict[str, ArenaItem] = Field(description="by id")
    signals: dict[str, Signal] = Field(description="by id")
    rubrics: dict[str, Rubric] = Field(description="by id")
    sequels: dict[str, Sequel] = Field(description="by id, one per field")
    frontier: dict[str, FrontierTopic] = Field(description="by id")
    rabbit_holes: dict[str, RabbitHole] = Field(description="by id")
    corrections: dict[str, Correction] = Field(description="by id")
    quiz: Quiz = Field(description="the field quiz")

    @cached_property
    def concepts(self) -> dict[str, Concept]:
        """Every concept of every stage, by id."""
        return {concept.id: concept for stage in self.stages.values() for concept in stage.concepts}

    @cached_property
    def concept_ids(self) -> dict[str, str]:
        """Concept id by concept name: problem.yaml files use names."""
        return {concept.name: concept.id for concept in self.concepts.values()}

    def collections(self) -> dict[Kind, Mapping[str, Item]]:
        """Every collection that ``show`` can look into."""
        return {
            "stage": self.stages,
            "concept": self.concepts,
            "problem": self.problems,
            "resource": self.resources,
            "person": self.people,
            "project": self.projects,
            "arena": self.arena,
            "signal": self.signals,
            "rubric": self.rubrics,
            "sequel": self.sequels,
            "frontier": self.frontier,
            "rabbit-hole": self.rabbit_holes,
            "correction": self.corrections,
        }

    @cached_property
    def index(self) -> dict[str, tuple[Kind, str]]:
        """Kind and canonical id of every id and alias."""
        found: dict[str, tuple[Kind, str]] = {}
        for kind, items in self.collections().items():
            for identifier, item in items.items():
                for name in (identifier, *getattr(item, "aliases", ())):
                    found.setdefault(name, (kind, identifier))
        return found

    def find(self, name: str, others: Iterable[str] = ()) -> Found:
        """What an id or alias stands for; raise ContentError with the near miss, which may be one of the others."""
        if name not in self.index:
            hint = near_miss(name, [*others, *self.index])
            raise ContentError(f'nothing is called "{name}"', fix=hint or "deepfield search WORDS looks everywhere")
        kind, identifier = self.index[name]
        return Found(kind, self.collections()[kind][identifier])

    def shelf(self, name: Shelf) -> tuple[Resource, ...]:
        """The resources that stand on a shelf, in their files' order."""
        return tuple(resource for resource in self.resources.values() if name in resource.shelves)

    def stage_problems(self, stage_id: str) -> tuple[RoadmapProblem, ...]:
        """The problems of a stage, in order."""
        return tuple(self.problems[problem] for problem in self.stages[stage_id].problems)

    def problems_about(self, concept_id: str) -> tuple[RoadmapProblem, ...]:
        """The problems that exercise a concept."""
        return tuple(problem for problem in self.problems.values() if concept_id in problem.concepts)

    def resources_of(self, stage_id: str) -> tuple[str, ...]:
        """Ids of everything to read or watch for a stage and its problems, in order, each once."""
        return tuple(dict.fromkeys(self._readings(stage_id)))

    def _readings(self, stage_id: str) -> Iterator[str]:
        stage = self.stages[stage_id]
        for reading in (*stage.read, *stage.watch):
            yield reading.resource
        for problem in self.stage_problems(stage_id):
            for reading in problem.resources:
                yield reading.resource
