"""Reads ``curriculum/`` into one Roadmap, and refuses it if an id leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from deepfield_cli.content.charter import Charter
from deepfield_cli.content.milestone import ArenaFile, ProjectFile, RubricFile, SignalFile
from deepfield_cli.content.problem import Frozen
from deepfield_cli.content.quiz import Quiz
from deepfield_cli.content.resource import PeopleFile, ResourceFile
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_problem import ProblemFile
from deepfield_cli.content.sequel import CorrectionFile, OnwardFile
from deepfield_cli.content.stage import Stage
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError

CURRICULUM = "curriculum"
Availability = Literal["available", "planned"]
File = TypeVar("File", bound=Frozen)


def availability(pack_root: Path, problem_id: str) -> Availability:
    """Whether a problem can be graded: its folder in the pack says so, nothing is stored."""
    return "available" if (pack_root / "problems" / problem_id / "problem.yaml").is_file() else "planned"


def load_roadmap(pack_root: Path) -> Roadmap:
    """Read a pack's curriculum; raise ContentError with file and line, or with the id that leads nowhere."""
    from deepfield_cli.content.roadmap_references import faults

    roadmap = read_roadmap(pack_root)
    found = faults(roadmap)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ContentError(found[0] + more, where=str(pack_root / CURRICULUM), fix="correct the id")
    return roadmap


def read_roadmap(pack_root: Path) -> Roadmap:
    """Read every file strictly, without following the ids between them."""
    folder = pack_root / CURRICULUM
    if not folder.is_dir():
        raise ContentError("there is no curriculum here", where=str(folder), fix="point at a pack that has one")
    onward = load_model(folder / "onward.yaml", OnwardFile)
    return Roadmap(
        charter=load_model(folder / "charter.yaml", Charter),
        stages=_by_id(sorted(_load_all(folder / "stages", Stage), key=lambda stage: stage.number), folder),
        problems=_by_id(_joined(folder / "problems", ProblemFile, "problems"), folder),
        resources=_by_id(_joined(folder / "resources", ResourceFile, "resources"), folder),
        people=_by_id(load_model(folder / "people.yaml", PeopleFile).people, folder),
        projects=_by_id(load_model(folder / "projects.yaml", ProjectFile).projects, folder),
        arena=_by_id(load_model(folder / "arena.yaml", ArenaFile).arena, folder),
        signals=_by_id(load_model(folder / "signals.yaml", SignalFile).signals, folder),
        rubrics=_by_id(load_model(folder / "rubrics.yaml", RubricFile).rubrics, folder),
        sequels=_by_id(onward.sequels, folder),
        frontier=_by_id(onward.frontier, folder),
        rabbit_holes=_by_id(onward.rabbit_holes, folder),
        corrections=_by_id(load_model(folder / "corrections.yaml", CorrectionFile).corrections, folder),
        quiz=load_model(folder / "quiz.yaml", Quiz),
    )


def _load_all(folder: Path, model: type[File]) -> list[File]:
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ContentError("there is no YAML file here", where=str(folder), fix="restore the folder")
    return [load_model(path, model) for path in paths]


def _joined(folder: Path, model: type[Frozen], key: str) -> list[Any]:
    return [item for file in _load_all(folder, model) for item in getattr(file, key)]


def _by_id(items: Iterable[Any], folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        if item.id in found:
            raise ContentError(f'"{item.id}" is defined twice', where=str(folder), fix="keep one of the two")
        found[item.id] = item
    return found
