"""What problems there are, at a glance: kept as plain JSON, so that a look costs neither YAML nor pydantic."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfield_cli import __version__
from deepfield_cli.content.packs import Pack, ProblemLocation, packs

if TYPE_CHECKING:
    from deepfield_cli.content.problem import Problem

CACHE_VARIABLE = "DEEPFIELD_CACHE"
# Raise it when the fields below change, so that what an older version kept is passed over.
_FORMAT = 1
_STAGE_FILE = re.compile(r"(\d+)-([a-z][a-z0-9]*)\.yaml")
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

    @property
    def field(self) -> str:
        """The field that it belongs to."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every problem of every pack, each after those that it needs.

    Attributes:
        fields: the fields in the order of the road, those without a stage last.
        problems: the problems, field by field.

    """

    fields: tuple[str, ...]
    problems: tuple[ListedProblem, ...]

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
    stages = _stage_files(found)
    fingerprint = _fingerprint(locations, stages)
    path = cache_folder() / f"catalogue-{_short([str(pack.root) for pack in found])}.json"
    kept = _read_kept(path, fingerprint)
    if kept is not None:
        return kept
    catalogue = _compose(locations, stages)
    _keep(path, fingerprint, catalogue)
    return catalogue


def cache_folder() -> Path:
    """Where what can be computed again is kept: DEEPFIELD_CACHE, else the system's place for it."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("deepfield"))


def _locations(found: Sequence[Pack]) -> list[ProblemLocation]:
    """Every problem once: the first pack that has it wins, as everywhere."""
    first = {name: pack for pack in reversed(found) for name in pack.problem_ids()}
    return [pack.location(name) for name, pack in sorted(first.items())]


def _stage_files(found: Sequence[Pack]) -> list[Path]:
    return [path for pack in found for path in sorted((pack.root / "curriculum" / "stages").glob("*.yaml"))]


def _fingerprint(locations: Sequence[ProblemLocation], stages: Sequence[Path]) -> str:
    """Changes whenever a file that the catalogue is made of does."""
    parts = [f"{_FORMAT} {__version__}", *map(str, stages)]
    for location in locations:
        state = location.yaml.stat()
        parts.append(f"{location.yaml} {state.st_mtime_ns} {state.st_size} {_is_graded(location)}")
    return _short(parts)


def _is_graded(location: ProblemLocation) -> bool:
    return (location.grader / "suite.py").is_file()


def _short(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


# What is kept


def _read_kept(path: Path, fingerprint: str) -> Catalogue | None:
    """What was kept, if it is whole and about these very files."""
    try:
        document = json.loads(path.read_bytes())
        if document["fingerprint"] != fingerprint:
            return None
        return Catalogue(tuple(document["fields"]), tuple(map(_as_listed, document["problems"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_listed(columns: Mapping[str, Any]) -> ListedProblem:
    """A problem from JSON, which knows no tuples."""
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()}
    return ListedProblem(**made)


def _keep(path: Path, fingerprint: str, catalogue: Catalogue) -> None:
    """Write it whole or not at all; where nothing can be written, the next look is slower and that is all."""
    document = {"fingerprint": fingerprint, **asdict(catalogue)}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump(document, file)
            os.replace(name, path)
        except OSError:
            os.unlink(name)


# What it is made of


def _compose(locations: Sequence[ProblemLocation], stages: Sequence[Path]) -> Catalogue:
    listed = {location.id: _listed(location.load(), location) for location in locations}
    order = _field_order(listed.values(), stages)
    depths: dict[str, int] = {}
    for name in listed:
        _depth(name, listed, depths)
    problems = sorted(
        listed.values(),
        key=lambda one: (order.index(one.field), depths[one.id], _DIFFICULTIES.index(one.difficulty), one.id),
    )
    return Catalogue(tuple(order), tuple(problems))


def _listed(problem: Problem, location: ProblemLocation) -> ListedProblem:
    from deepfield_cli.content.problem import RUNGS

    shared = {field.name for field in fields(ListedProblem)} & type(problem).model_fields.keys()
    columns = {name: getattr(problem, name) for name in shared}
    columns["rungs"] = tuple(rung for rung in RUNGS if rung in problem.rungs)
    columns["hints"] = len(problem.hints)
    return ListedProblem(**columns, pack=location.pack.name, graded=_is_graded(location))


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
