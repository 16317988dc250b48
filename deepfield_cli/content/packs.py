"""Where problems come from: the built-in pack, and folders named in DEEPFIELD_PACKS."""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli.errors import ContentError, near_miss

if TYPE_CHECKING:
    from deepfield_cli.content.problem import Problem

PACKS_VARIABLE = "DEEPFIELD_PACKS"
_IGNORED_NAMES = {"__pycache__", ".DS_Store"}
# Shorter than any file system allows.
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Pack:
    """A folder with ``curriculum/``, ``problems/`` and ``graders/``."""

    name: str
    root: Path

    def problem_ids(self) -> list[str]:
        """Ids of the problems whose folder holds a problem.yaml, sorted."""
        folder = self.root / "problems"
        return sorted(
            f"{entry.parent.parent.name}/{entry.parent.name}"
            for entry in folder.glob("*/*/problem.yaml")
            if entry.is_file()
        )

    def location(self, problem_id: str) -> ProblemLocation:
        """The folders of one problem; they need not exist."""
        return ProblemLocation(self, problem_id)


@dataclass(frozen=True)
class ProblemLocation:
    """Where the parts of one problem stand on the disk."""

    pack: Pack
    id: str

    @property
    def folder(self) -> Path:
        """What the learner may see: problem.yaml, the brief and the starter."""
        return self.pack.root / "problems" / self.id

    @property
    def yaml(self) -> Path:
        """The problem's declaration."""
        return self.folder / "problem.yaml"

    @property
    def brief(self) -> Path:
        """The brief, in Markdown."""
        return self.folder / "README.md"

    @property
    def starter(self) -> Path:
        """What ``start`` copies."""
        return self.folder / "starter"

    @property
    def grader(self) -> Path:
        """The suite's folder: never readable by a worker."""
        return self.pack.root / "graders" / self.id

    def solutions(self) -> list[Path]:
        """The right submissions; the first is the one that is shown to learners."""
        return _submissions(self.grader / "solutions")

    def wrongs(self) -> list[Path]:
        """The wrong submissions, each with the check that it must fail on its first line."""
        return _submissions(self.grader / "wrong")

    def load(self) -> Problem:
        """Read problem.yaml strictly; raise ContentError with file, line and near miss."""
        from deepfield_cli.content.strict_yaml import read_yaml

        return _parsed(self, read_yaml(self.yaml))

    def suite_digest(self) -> str:
        """SHA-256 over the grader's files, the kit's modules that they use, and the problem's declaration."""
        digest = hashlib.sha256()
        for name, source in sorted(_kit_of(self).items()):
            digest.update(f"{name}\0".encode() + hashlib.sha256(source.encode()).digest())
        for name, path in sorted(_suite_files(self)):
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


@functools.lru_cache(maxsize=64)
def _parsed(location: ProblemLocation, text: str) -> Problem:
    """The declaration in this very text: a watch and `dev check` ask for it at every grade."""
    from deepfield_cli.content.problem import Problem
    from deepfield_cli.content.strict_yaml import load_model

    problem = load_model(location.yaml, Problem, text)
    if problem.id != location.id:
        raise ContentError(f'id is "{problem.id}" but the folder says "{location.id}"', where=str(location.yaml))
    return problem


def builtin_pack() -> Pack:
    """The pack that ships with deepfield: the repository's own root, or ``_pack`` inside a wheel."""
    package = Path(__file__).resolve().parent.parent
    bundled = package / "_pack"
    return Pack("deepfield", bundled if bundled.is_dir() else package.parent)


def packs() -> list[Pack]:
    """The built-in pack, then those that DEEPFIELD_PACKS names, in its order."""
    found = [builtin_pack()]
    for entry in filter(None, os.environ.get(PACKS_VARIABLE, "").split(os.pathsep)):
        root = Path(entry).expanduser().resolve()
        if not (root / "problems").is_dir():
            raise ContentError(
                "not a pack: it has no problems/ folder", where=str(root), fix=f"correct {PACKS_VARIABLE}"
            )
        found.append(Pack(root.name, root))
    return found


def problem_ids() -> list[str]:
    """Every problem id of every pack, in the packs' order."""
    return list(dict.fromkeys(name for pack in packs() for name in pack.problem_ids()))


def find_location(problem_id: str) -> ProblemLocation:
    """The first pack's problem of this id; raise ContentError with the near miss."""
    for pack in packs():
        location = pack.location(problem_id)
        if _is_id(problem_id) and location.yaml.is_file():
            return location
    raise _not_found(problem_id)


def find_problem(problem_id: str) -> tuple[Problem, ProblemLocation]:
    """The problem of this id and where its parts stand."""
    location = find_location(problem_id)
    return location.load(), location


def _not_found(problem_id: str) -> ContentError:
    from deepfield_cli.content.catalogue import read_catalogue

    listed = read_catalogue().find(problem_id)
    if listed is not None and listed.hand_in:
        return ContentError(f"{problem_id} is graded by a command of its own", fix=listed.hand_in)
    if listed is not None and not listed.pack:
        return ContentError(
            f"{problem_id} is on the road, but its grader is not written yet",
            fix=f"deepfield start {problem_id} lays out its brief and a place for notes",
        )
    hint = near_miss(problem_id, problem_ids())
    return ContentError(f'there is no problem "{problem_id}"', fix=hint or "deepfield list shows all of them")


def _is_id(text: str) -> bool:
    field, _, slug = text.partition("/")
    return all(0 < len(part) <= _LONGEST_NAME and part.replace("-", "").isalnum() for part in (field, slug))


def _submissions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.name not in _IGNORED_NAMES and (path.suffix == ".py" or path.is_dir()) and not path.name.startswith("_")
    )


def _suite_files(location: ProblemLocation) -> list[tuple[str, Path]]:
    files = [("problem.yaml", location.yaml)]
    return files + [(path.name, path) for path in location.grader.glob("*.py")]


def _kit_of(location: ProblemLocation) -> dict[str, str]:
    """The part of the kit on which this problem's verdict rests; the rest may change without changing it."""
    from deepfield_cli.content.kit import kit_sources

    found: dict[str, str] = {}
    for path in location.grader.glob("*.py"):
        found.update(kit_sources(path.read_text(encoding="utf-8")))
    return found
