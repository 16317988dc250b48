"""Follows every id of a roadmap to what it names, and says in words which ones lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from deepfield_cli.content.evidence import Attested, Rule, Solved, leaves
from deepfield_cli.content.milestone import Milestone
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_problem import RoadmapProblem
from deepfield_cli.content.stage import Stage
from deepfield_cli.errors import near_miss

Faults = Iterator[str]


def faults(roadmap: Roadmap) -> list[str]:
    """Everything wrong between the files, one sentence each; empty when all is well."""
    checks: tuple[Callable[[Roadmap], Faults], ...] = (
        _names_are_unique,
        _addresses_are_unique,
        _stages,
        _problems,
        _order_of_problems,
        _resources,
        _milestones,
        _onward,
        _quiz,
        _charter,
        _corrections,
    )
    return [fault for check in checks for fault in check(roadmap)]


def _missing(owner: str, what: str, names: Iterable[str], known: Mapping[str, object]) -> Faults:
    for name in names:
        if name not in known:
            hint = near_miss(name, known)
            yield f'{owner}: {what} "{name}" does not exist' + (f"; {hint}" if hint else "")


def _names_are_unique(roadmap: Roadmap) -> Faults:
    names = Counter(
        name
        for items in roadmap.collections().values()
        for identifier, item in items.items()
        for name in (identifier, *getattr(item, "aliases", ()))
    )
    for name, count in names.items():
        if count > 1:
            yield f'the name "{name}" stands for {count} things'
    concepts = Counter(concept.name for concept in roadmap.concepts.values())
    for name, count in concepts.items():
        if count > 1:
            yield f'the concept name "{name}" stands for {count} concepts'


def _addresses_are_unique(roadmap: Roadmap) -> Faults:
    counts = Counter(resource.url.rstrip("/") for resource in roadmap.resources.values())
    for url, count in counts.items():
        if count > 1:
            yield f"the address {url} belongs to {count} resources; make one the alias of the other"


def _stages(roadmap: Roadmap) -> Faults:
    numbers = [stage.number for stage in roadmap.stages.values()]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the stages are numbered {numbers}"
    for stage in roadmap.stages.values():
        yield from _stage(roadmap, stage)


def _stage(roadmap: Roadmap, stage: Stage) -> Faults:
    readings = [reading.resource for reading in (*stage.read, *stage.watch)]
    yield from _missing(stage.id, "resource", readings, roadmap.resources)
    yield from _missing(stage.id, "problem", stage.problems, roadmap.problems)
    belonging = {problem.id for problem in roadmap.problems.values() if problem.field == stage.id}
    for problem_id in sorted(belonging ^ set(stage.problems)):
        yield f'{stage.id}: problem "{problem_id}" is either not listed or not of this stage'
    for concept in stage.concepts:
        yield from _missing(concept.id, "resource", concept.learn, roadmap.resources)
    for completion in (stage.done_when.survey, stage.done_when.season):
        yield from _rule(roadmap, stage.id, completion.evidence)


def _problems(roadmap: Roadmap) -> Faults:
    for problem in roadmap.problems.values():
        before = (*problem.needs, *problem.soft_needs, *problem.any_of)
        yield from _missing(problem.id, "problem", before, roadmap.problems)
        yield from _missing(problem.id, "concept", problem.concepts, roadmap.concepts)
        readings = [reading.resource for reading in problem.resources]
        yield from _missing(problem.id, "resource", readings, roadmap.resources)
        yield from _missing(problem.id, "overlap", problem.overlaps, roadmap.index)


def _order_of_problems(roadmap: Roadmap) -> Faults:
    """Hard needs must not go in a circle: somebody has to be able to start."""
    reachable: set[str] = set()
    waiting = dict(roadmap.problems)
    while waiting:
        ready = [problem for problem in waiting.values() if _is_ready(problem, reachable, roadmap.problems)]
        if not ready:
            yield f"these problems need each other in a circle: {', '.join(waiting)}"
            return
        for problem in ready:
            reachable.add(problem.id)
            del waiting[problem.id]


def _is_ready(problem: RoadmapProblem, reachable: set[str], known: Mapping[str, object]) -> bool:
    # an id that does not exist is reported elsewhere and must not look like a circle
    needed = all(name in reachable or name not in known for name in problem.needs)
    return needed and (not problem.any_of or any(name in reachable for name in problem.any_of))


def _resources(roadmap: Roadmap) -> Faults:
    for resource in roadmap.resources.values():
        replacement = [resource.replaced_by] if resource.replaced_by else []
        yield from _missing(resource.id, "resource", replacement, roadmap.resources)
    for person in roadmap.people.values():
        yield from _missing(person.id, "resource", person.works, roadmap.resources)


def _milestones(roadmap: Roadmap) -> Faults:
    everything: tuple[Mapping[str, Milestone], ...] = (roadmap.projects, roadmap.arena, roadmap.signals)
    for items in everything:
        for item in items.values():
            yield from _missing(item.id, "problem", item.problems, roadmap.problems)
            yield from _missing(item.id, "resource", item.resources, roadmap.resources)
            yield from _rule(roadmap, item.id, item.evidence)
    for project in roadmap.projects.values():
        for choice in project.choices:
            yield from _missing(project.id, "problem", choice.problems, roadmap.problems)


def _rule(roadmap: Roadmap, owner: str, rule: Rule) -> Faults:
    for leaf in leaves(rule):
        if isinstance(leaf, Attested):
            yield from _missing(owner, "rubric", [leaf.attested], roadmap.rubrics)
        if isinstance(leaf, Solved):
            yield from _missing(owner, "problem", [leaf.solved], roadmap.problems)
            problem = roadmap.problems.get(leaf.solved)
            if problem is not None and leaf.rung not in problem.rungs:
                yield f'{owner}: problem "{leaf.solved}" has no rung "{leaf.rung}"'


def _onward(roadmap: Roadmap) -> Faults:
    for sequel in roadmap.sequels.values():
        for step in sequel.steps:
            yield from _missing(sequel.id, "resource", step.resources, roadmap.resources)
            yield from _missing(sequel.id, "problem", step.problems, roadmap.problems)
    for topic in roadmap.frontier.values():
        yield from _missing(topic.id, "resource", topic.resources, roadmap.resources)
    for hole in roadmap.rabbit_holes.values():
        yield from _missing(hole.id, "resource", hole.resources, roadmap.resources)
        yield from _missing(hole.id, "problem", hole.problems, roadmap.problems)


def _quiz(roadmap: Roadmap) -> Faults:
    for attempt in roadmap.quiz.try_first:
        yield from _missing(f"quiz, {attempt.field}", "problem", attempt.problems, roadmap.problems)


def _charter(roadmap: Roadmap) -> Faults:
    for flagship in roadmap.charter.flagships:
        guide = [flagship.guide] if flagship.guide else []
        yield from _missing(flagship.repository, "resource", guide, roadmap.resources)


def _corrections(roadmap: Roadmap) -> Faults:
    known = {**roadmap.index, "charter": None, "quiz": None}
    for correction in roadmap.corrections.values():
        yield from _missing(correction.id, "item", correction.settled_in, known)
