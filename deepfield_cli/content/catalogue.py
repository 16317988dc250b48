"""What problems there are, at a glance: kept as plain JSON, so that a look costs neither YAML nor pydantic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfield_cli import __version__
from deepfield_cli.content.effort import problem_hours
from deepfield_cli.content.kept import cache_folder, fingerprint_of, keep, short_digest
from deepfield_cli.content.packs import Pack, ProblemLocation, packs
from deepfield_cli.content.road import open_roadmap, road_files, road_root

if TYPE_CHECKING:
    from deepfield_cli.content.problem import Problem
    from deepfield_cli.content.roadmap import Roadmap
    from deepfield_cli.content.roadmap_problem import RoadmapProblem

# Raise it when the fields below change, so that what an older version kept is passed over.
_FORMAT = 3
_STAGE_FILE = re.compile(r"(\d+)-([a-z][a-z0-9]*)\.yaml")
_RUNGS = ("core", "laptop", "paper")
_DIFFICULTIES = ("medium", "hard", "brutal", "legendary")


@dataclass(frozen=True, slots=True)
class ListedProblem:
    """What is shown of a problem in a list.

    A dataclass and no pydantic model, like everything that ``status`` reads: the import alone would take longer than
    all the rest.

    Attributes:
        id: field/slug.
        version: the problem's version.
        title: what it is called.
        difficulty: medium, hard, brutal or legendary.
        summary: one sentence.
        entry: the file that the learner fills in.
        needs: problems to solve before.
        rungs: the rungs that it has, core first.
        hints: how many hints there are.
        pack: the pack that it comes from.
        graded: whether its grader is there; a problem may be announced before it can be graded.
        hours: how long the road allows for it, reading included; 0 where it is not on the road.
        hand_in: the command that grades it, where no pack does; empty for all others.

    """

    id: str
    version: int
    title: str
    difficulty: str
    summary: str
    entry: str
    needs: tuple[str, ...]
    rungs: tuple[str, ...]
    hints: int
    pack: str
    graded: bool
    hours: float = 0.0
    hand_in: str = ""

    @property
    def field(self) -> str:
        """The field that it belongs to."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class ListedStage:
    """What is shown of a stage in a list.

    Attributes:
        id: the field's short name.
        title: what it is called.
        survey: the rule that decides whether it is surveyed, as plain data.

    """

    id: str
    title: str
    survey: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every problem of every pack and of the road, in the road's order; others each after those that they need.

    Attributes:
        fields: the fields in the order of the road, those without a stage last.
        problems: the problems, field by field; one that cannot be graded yet is not ``graded``.
        stages: the stages of the road.
        milestones: how many milestones a season has.

    """

    fields: tuple[str, ...]
    problems: tuple[ListedProblem, ...]
    stages: tuple[ListedStage, ...] = ()
    milestones: int = 0

    def of_field(self, field: str) -> list[ListedProblem]:
        """The problems of one field, in order."""
        return [problem for problem in self.problems if problem.field == field]

    def find(self, problem_id: str) -> ListedProblem | None:
        """The problem of this id."""
        return next((problem for problem in self.problems if problem.id == problem_id), None)


def read_catalogue() -> Catalogue:
    """The catalogue, from what was kept if no file has changed since, else from the YAML files.

    Raises:
        ContentError: a problem.yaml is not what it should be, with file, line and near miss.

    """
    found = packs()
    locations = _locations(found)
    root = road_root(found)
    road = road_files(root) if root is not None else []
    fingerprint = _fingerprint(locations, road)
    path = cache_folder() / f"catalogue-{short_digest([str(pack.root) for pack in found])}.json"
    kept = _read_kept(path, fingerprint)
    if kept is not None:
        return kept
    catalogue = _compose(locations, road)
    keep(path, json.dumps({"fingerprint": fingerprint, **asdict(catalogue)}).encode("ascii"))
    return catalogue


def _locations(found: Sequence[Pack]) -> list[ProblemLocation]:
    """Every problem once: the first pack that has it wins, as everywhere."""
    first = {name: pack for pack in reversed(found) for name in pack.problem_ids()}
    return [pack.location(name) for name, pack in sorted(first.items())]


def _fingerprint(locations: Sequence[ProblemLocation], road: Sequence[Path]) -> str:
    """Changes whenever a file that the catalogue is made of does."""
    graded = [location.id for location in locations if _is_graded(location)]
    return fingerprint_of([*road, *(location.yaml for location in locations)], _FORMAT, __version__, *graded)


def _is_graded(location: ProblemLocation) -> bool:
    return (location.grader / "suite.py").is_file()


# What is kept


def _read_kept(path: Path, fingerprint: str) -> Catalogue | None:
    """What was kept, if it is whole and about these very files."""
    try:
        document = json.loads(path.read_bytes())
        if document["fingerprint"] != fingerprint:
            return None
        stages = tuple(ListedStage(**stage) for stage in document["stages"])
        problems = tuple(map(_as_listed, document["problems"]))
        return Catalogue(tuple(document["fields"]), problems, stages, document["milestones"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_listed(columns: Mapping[str, Any]) -> ListedProblem:
    """A problem from JSON, which knows no tuples."""
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()}
    return ListedProblem(**made)


# What it is made of


def _compose(locations: Sequence[ProblemLocation], road: Sequence[Path]) -> Catalogue:
    roadmap = open_roadmap() if road else None
    hours = _hours(roadmap) if roadmap else {}
    listed = {location.id: _listed(location.load(), location, hours) for location in locations}
    for planned in roadmap.problems.values() if roadmap else ():
        listed.setdefault(planned.id, _announced(planned, hours))
    order = _field_order(listed.values(), road)
    places = {name: place for place, name in enumerate(_road_order(roadmap) if roadmap else ())}
    depths: dict[str, int] = {}
    for name in listed:
        _depth(name, listed, depths)
    problems = sorted(
        listed.values(),
        key=lambda one: (
            order.index(one.field),
            places.get(one.id, len(places)),
            depths[one.id],
            _DIFFICULTIES.index(one.difficulty),
            one.id,
        ),
    )
    return Catalogue(tuple(order), tuple(problems), _stages(roadmap), _milestones(roadmap))


def _stages(roadmap: Roadmap | None) -> tuple[ListedStage, ...]:
    stages = roadmap.stages.values() if roadmap else ()
    return tuple(
        ListedStage(stage.id, stage.title, stage.done_when.survey.evidence.model_dump(mode="json")) for stage in stages
    )


def _milestones(roadmap: Roadmap | None) -> int:
    return len(roadmap.charter.season.milestones) if roadmap else 0


def _road_order(roadmap: Roadmap) -> list[str]:
    return [problem for stage in roadmap.stages.values() for problem in stage.problems]


def _hours(roadmap: Roadmap) -> dict[str, float]:
    hours: dict[str, float] = {}
    for stage in roadmap.stages.values():
        difficulties = {name: str(roadmap.problems[name].difficulty) for name in stage.problems}
        hours.update(problem_hours(stage.weeks.min, stage.weeks.max, difficulties))
    return hours


def _announced(planned: RoadmapProblem, hours: Mapping[str, float]) -> ListedProblem:
    """A problem of the road that no pack can grade yet."""
    return ListedProblem(
        id=planned.id,
        version=0,
        title=planned.title,
        difficulty=planned.difficulty,
        summary=planned.goal,
        entry=planned.entry,
        needs=planned.needs,
        rungs=tuple(rung for rung in _RUNGS if rung in planned.rungs),
        hints=0,
        pack="",
        graded=False,
        hours=hours.get(planned.id, 0.0),
        hand_in=planned.hand_in or "",
    )


def _listed(problem: Problem, location: ProblemLocation, hours: Mapping[str, float]) -> ListedProblem:
    shared = {field.name for field in fields(ListedProblem)} & type(problem).model_fields.keys() - {"hours"}
    columns = {name: getattr(problem, name) for name in shared}
    columns["rungs"] = tuple(rung for rung in _RUNGS if rung in problem.rungs)
    columns["hints"] = len(problem.hints)
    return ListedProblem(
        **columns, pack=location.pack.name, graded=_is_graded(location), hours=hours.get(problem.id, 0.0)
    )


def _field_order(problems: Iterable[ListedProblem], stages: Sequence[Path]) -> list[str]:
    """Fields as the stages number them, then those that no stage names."""
    numbered = [match for match in (_STAGE_FILE.fullmatch(path.name) for path in stages) if match]
    road = [match[2] for match in sorted(numbered, key=lambda match: int(match[1]))]
    present = sorted({problem.field for problem in problems})
    return [name for name in dict.fromkeys([*road, *present]) if name in present]


def _depth(name: str, listed: Mapping[str, ListedProblem], depths: dict[str, int]) -> int:
    """How many problems come before this one at least; a cycle counts as none."""
    if name not in depths:
        depths[name] = 0
        before = [need for need in listed[name].needs if need in listed]
        depths[name] = max((1 + _depth(need, listed, depths) for need in before), default=0)
    return depths[name]
