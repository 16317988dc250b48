"""The page of anything that has an id: what it is, what it belongs to, and how far the learner is with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepfield_cli.content.milestone import ArenaItem, Milestone, Project, Rubric, Signal
from deepfield_cli.content.packs import problem_ids
from deepfield_cli.content.resource import Person, Resource
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.content.roadmap import Found, Roadmap
from deepfield_cli.content.roadmap_problem import RoadmapProblem
from deepfield_cli.content.sequel import Correction, FrontierTopic, RabbitHole, Sequel
from deepfield_cli.content.stage import Concept, Stage
from deepfield_cli.journey.facts import read_facts
from deepfield_cli.journey.reading import read_done
from deepfield_cli.journey.rules import Facts, Part, decide
from deepfield_cli.journey.workspace import Workspace

# Words for whole collections; an id always comes first.
COLLECTIONS = {
    "stages": "stage",
    "concepts": "concept",
    "projects": "project",
    "arena": "arena",
    "signals": "signal",
    "rubrics": "rubric",
    "people": "person",
    "sequels": "sequel",
    "frontier": "frontier",
    "rabbit-holes": "rabbit-hole",
    "corrections": "correction",
}
SHELVES = {
    "blogs": "blog",
    "newsletters": "newsletter",
    "communities": "community",
    "competitions": "competition",
    "conferences": "conference",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a section: a name or an id, and words about it; done where that is known."""

    name: str
    words: str
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A page.

    Attributes:
        kind: what it is.
        id: its id.
        title: what it is called.
        facts: short facts beside the title.
        paragraphs: what there is to say.
        sections: lists.
        rule: the rule that decides it, held against the record; None where nothing does.

    """

    kind: str
    id: str
    title: str
    facts: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    rule: Part | None = None


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every page is written from."""

    roadmap: Roadmap
    facts: Facts
    done: Mapping[str, str]

    @property
    def confirmed(self) -> set[str]:
        """Problems that somebody else vouches for."""
        return {"summit/merged-pr"} if self.facts.confirmed.get("merged-pr") else set()

    def problems(self, names: Iterable[str]) -> tuple[Row, ...]:
        solved = {problem for problem, _ in self.facts.solved} | self.confirmed
        return tuple(Row(name, self.roadmap.problems[name].title, name in solved) for name in names)

    def resources(self, names: Iterable[str], parts: Mapping[str, str | None] | None = None) -> tuple[Row, ...]:
        return tuple(self.resource(name, (parts or {}).get(name)) for name in dict.fromkeys(names))

    def resource(self, name: str, part: str | None = None) -> Row:
        found = self.roadmap.resources[name]
        return Row(name, found.title + (f": {part}" if part else ""), name in self.done)

    def rule(self, evidence: Any) -> Part:
        return decide(evidence.model_dump(mode="json"), self.facts)


def open_item(name: str, workspace: Workspace | None) -> ItemPage:
    """The page of an id, an alias or the name of a collection; raise ContentError with the near miss."""
    roadmap = open_roadmap()
    desk = _Desk(roadmap, read_facts(workspace), read_done(workspace))
    if name not in roadmap.index and name in {**COLLECTIONS, **SHELVES}:
        return _collection(desk, name)
    return _page(desk, roadmap.find(name, problem_ids()))


def _collection(desk: _Desk, name: str) -> ItemPage:
    if name in SHELVES:
        shelf = [one for one in desk.roadmap.resources.values() if SHELVES[name] in one.shelves]
        rows = tuple(Row(one.id, f"{one.title}: {one.note}", one.id in desk.done) for one in shelf)
        return ItemPage("shelf", name, name, sections=(Section("", rows),))
    kind = COLLECTIONS[name]
    items = next(items for key, items in desk.roadmap.collections().items() if key == kind)
    rows = tuple(_member(desk, identifier, item) for identifier, item in items.items())
    return ItemPage("collection", name, name, sections=(Section("", rows),))


def _member(desk: _Desk, identifier: str, item: Any) -> Row:
    words = str(getattr(item, "title", None) or getattr(item, "name", None) or getattr(item, "issue", ""))
    if not isinstance(item, Milestone):
        return Row(identifier, words)
    part = desk.rule(item.evidence)
    known = f" ({part.evidence})" if part.evidence else f" ({part.share:.0%})" if part.share else ""
    return Row(identifier, words + known, part.holds)


def _page(desk: _Desk, found: Found) -> ItemPage:
    write = next(write for kind, write in _WRITERS if isinstance(found.item, kind))
    page = write(desk, found.item)
    return ItemPage(
        found.kind, page.id, page.title, page.facts, page.paragraphs,
        tuple(section for section in page.sections if section.rows), page.rule,
    )  # fmt: skip


def _stage(desk: _Desk, stage: Stage) -> ItemPage:
    parts = {reading.resource: reading.part for reading in (*stage.read, *stage.watch)}
    done_when = stage.done_when
    return ItemPage(
        "", stage.id, stage.title,
        (f"stage {stage.number}", f"{stage.weeks.min} to {stage.weeks.max} weeks", stage.tagline),
        (stage.summary, f"Done when: {done_when.summary}"),
        (
            Section("problems, in order", desk.problems(stage.problems)),
            Section("concepts", tuple(Row(concept.id, concept.name) for concept in stage.concepts)),
            Section("read", desk.resources((one.resource for one in stage.read), parts)),
            Section("watch", desk.resources((one.resource for one in stage.watch), parts)),
            Section("then, in a season", (Row("season", done_when.season.summary),)),
        ),
        desk.rule(done_when.survey.evidence),
    )  # fmt: skip


def _problem(desk: _Desk, problem: RoadmapProblem) -> ItemPage:
    targets = tuple(
        Row(target.rung, f"{target.metric}: {target.value:g}" + ("" if target.verified else " (from memory)"))
        for target in problem.targets
    )
    parts = {reading.resource: reading.part for reading in problem.resources}
    concepts = (desk.roadmap.concepts[name] for name in problem.concepts)
    return ItemPage(
        "", problem.id, problem.title,
        (problem.difficulty, _how_graded(problem)),
        (problem.goal, problem.why),
        (
            Section("rungs", tuple(Row(rung, text) for rung, text in problem.rungs.items())),
            Section(f"what you write in {problem.entry}", tuple(Row("", api.signature) for api in problem.api)),
            Section("numbers", targets),
            Section("concepts", tuple(Row(concept.id, concept.name) for concept in concepts)),
            Section("solve before", desk.problems((*problem.needs, *problem.any_of))),
            Section("to read", desk.resources(parts, parts)),
            Section("traps", tuple(Row("", note) for note in problem.notes)),
        ),
    )  # fmt: skip


def _how_graded(problem: RoadmapProblem) -> str:
    return f"graded by {problem.hand_in}" if problem.hand_in else "no grader yet: a brief, a reading list, notes"


def _concept(desk: _Desk, concept: Concept) -> ItemPage:
    stage = next(stage for stage in desk.roadmap.stages.values() if concept in stage.concepts)
    return ItemPage(
        "", concept.id, concept.name, (f"a concept of {stage.id}",), (concept.summary,),
        (
            Section("problems that exercise it", desk.problems(one.id for one in _about(desk, concept.id))),
            Section("where to learn it", desk.resources(concept.learn)),
        ),
    )  # fmt: skip


def _about(desk: _Desk, concept: str) -> Sequence[RoadmapProblem]:
    return desk.roadmap.problems_about(concept)


def _resource(desk: _Desk, resource: Resource) -> ItemPage:
    year = str(resource.year) if resource.year else "undated"
    proof = f"address checked {resource.checked}" if resource.verified else "address from memory"
    done = [f"done {desk.done[resource.id][:10]}"] if resource.id in desk.done else []
    status = [] if resource.status == "live" else [resource.status]
    return ItemPage(
        "", resource.id, resource.title, (resource.kind, resource.authors, year, *status, proof, *done),
        (resource.note, *(address.url for address in resource.addresses())),
        (
            Section("use instead", desk.resources([resource.replaced_by] if resource.replaced_by else [])),
            Section("on the list of", tuple(_users(desk, resource.id))),
        ),
    )  # fmt: skip


def _users(desk: _Desk, resource: str) -> Iterator[Row]:
    """Stages, problems and concepts that send a learner there."""
    for stage in desk.roadmap.stages.values():
        if any(reading.resource == resource for reading in (*stage.read, *stage.watch)):
            yield Row(stage.id, stage.title)
    for problem in desk.roadmap.problems.values():
        if any(reading.resource == resource for reading in problem.resources):
            yield Row(problem.id, problem.title)
    for concept in desk.roadmap.concepts.values():
        if resource in concept.learn:
            yield Row(concept.id, concept.name)


def _person(desk: _Desk, person: Person) -> ItemPage:
    paragraphs = (person.known_for, person.note, person.url)
    works = (Section("works on this road", desk.resources(person.works)),)
    return ItemPage("", person.id, person.name, person.fields, paragraphs, works)


def _project(desk: _Desk, project: Project) -> ItemPage:
    page = _milestone(desk, project)
    sections = (
        Section("how to go about it", tuple(Row(str(n), step) for n, step in enumerate(project.steps, start=1))),
        Section("in your field", tuple(Row(choice.field, choice.build) for choice in project.choices)),
        *page.sections,
    )
    return ItemPage("", page.id, page.title, (), (project.summary, *page.paragraphs), sections, page.rule)


def _arena(desk: _Desk, item: ArenaItem) -> ItemPage:
    page = _milestone(desk, item)
    return ItemPage("", page.id, page.title, (item.difficulty,), page.paragraphs, page.sections, page.rule)


def _milestone(desk: _Desk, item: Milestone) -> ItemPage:
    return ItemPage(
        "", item.id, item.title, (), (item.why, f"Reached when: {item.reached_when}"),
        (
            Section("problems on the way", desk.problems(item.problems)),
            Section("where to start", desk.resources(item.resources)),
            Section("to know", tuple(Row("", note) for note in item.notes)),
        ),
        desk.rule(item.evidence),
    )  # fmt: skip


def _rubric(desk: _Desk, rubric: Rubric) -> ItemPage:
    count = desk.facts.attested.get(rubric.id, 0)
    asks = tuple(Row(one.id, one.ask + (" (essential)" if one.essential else "")) for one in rubric.criteria)
    return ItemPage(
        "", rubric.id, rubric.title, ("attested", f"{count} so far", f"{rubric.enough} of {len(asks)} are enough"),
        (rubric.covers, f"Hand in: {rubric.hand_in}", f"deepfield attest {rubric.id}"),
        (Section("what you are asked", asks),),
    )  # fmt: skip


def _sequel(desk: _Desk, sequel: Sequel) -> ItemPage:
    rows = tuple(
        Row(str(number), f"{step.title}. {step.why} ({', '.join((*step.problems, *step.resources))})")
        for number, step in enumerate(sequel.steps, start=1)
    )
    return ItemPage("", sequel.id, sequel.title, (sequel.field,), (), (Section("in order", rows),))


def _frontier(desk: _Desk, topic: FrontierTopic) -> ItemPage:
    start = (Section("where to start", desk.resources(topic.resources)),)
    return ItemPage("", topic.id, topic.title, topic.fields, (topic.summary, topic.question), start)


def _rabbit_hole(desk: _Desk, hole: RabbitHole) -> ItemPage:
    sections = (
        Section("grows out of", desk.problems(hole.problems)),
        Section("where to start", desk.resources(hole.resources)),
    )
    return ItemPage("", hole.id, hole.title, (hole.stage,), (hole.hook, f"First: {hole.first_step}"), sections)


def _correction(desk: _Desk, correction: Correction) -> ItemPage:
    rows = tuple(
        Row(name, desk.roadmap.index[name][0] if name in desk.roadmap.index else "") for name in correction.settled_in
    )
    return ItemPage(
        "", correction.id, "A fact often quoted wrongly", ("confirmed" if correction.verified else "from memory",),
        (correction.issue, f"Here: {correction.resolution}"), (Section("settled in", rows),),
    )  # fmt: skip


_WRITERS: tuple[tuple[type, Callable[[_Desk, Any], ItemPage]], ...] = (
    (Stage, _stage),
    (Concept, _concept),
    (RoadmapProblem, _problem),
    (Resource, _resource),
    (Person, _person),
    (Project, _project),
    (ArenaItem, _arena),
    (Signal, _milestone),
    (Rubric, _rubric),
    (Sequel, _sequel),
    (FrontierTopic, _frontier),
    (RabbitHole, _rabbit_hole),
    (Correction, _correction),
)
