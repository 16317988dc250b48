"""Shows that nothing of the roadmap's facts was lost: each item, and the id and file in which it lives.

``python -m deepfield_cli.content.coverage`` writes ``docs/coverage.md``; with ``--check`` it only compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.problem import Frozen
from deepfield_cli.content.roadmap import Found, Roadmap
from deepfield_cli.content.roadmap_loader import CURRICULUM, load_roadmap
from deepfield_cli.content.roadmap_problem import RoadmapProblem
from deepfield_cli.content.sequel import Sequel
from deepfield_cli.content.stage import Reading, Stage
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError, DeepfieldError

DOCUMENT = Path("docs") / "coverage.md"
# ids of things stand at the outer level of a file; deeper ones belong to targets, criteria and answers
_ID_LINE = re.compile(r"^(?:  - )?id: (\S+)$", re.MULTILINE)


class CoveredKind(Frozen):
    """One kind of fact, and where each item of it lives."""

    kind: str = Field(description="what the items are, in the singular")
    title: str = Field(description="heading in the table")
    items: dict[str, tuple[str, ...]] = Field(
        min_length=1,
        description="item → ids that carry it; problem#target is a number, sequel#1 a step, stage>resource on a list",
    )


class Coverage(Frozen):
    """``curriculum/coverage.yaml``: the index of facts."""

    format_version: Literal[1] = Field(description="version of this format")
    kinds: tuple[CoveredKind, ...] = Field(min_length=1, description="in the order of the table")


class Home(Frozen):
    """Where one reference leads."""

    title: str = Field(description="what stands there, as a learner sees it")
    file: str = Field(description="path below the pack's root")


def load_coverage(pack_root: Path) -> Coverage:
    """Read the index of facts."""
    return load_model(pack_root / CURRICULUM / "coverage.yaml", Coverage)


def document(pack_root: Path) -> str:
    """The whole of ``docs/coverage.md``; raise ContentError if an item lives nowhere."""
    roadmap, coverage = load_roadmap(pack_root), load_coverage(pack_root)
    files = _files(pack_root)
    lines = [*_HEADER, "", "| kind | items |", "|---|---:|"]
    lines += [f"| [{kind.title}](#{_anchor(kind.title)}) | {len(kind.items)} |" for kind in coverage.kinds]
    lines += [f"| **all** | **{sum(len(kind.items) for kind in coverage.kinds)}** |"]
    for kind in coverage.kinds:
        lines += ["", f"## {kind.title}", "", "| item | lives as | what it is | file |", "|---|---|---|---|"]
        lines += [_row(item, references, roadmap, files) for item, references in kind.items.items()]
    return "\n".join(lines) + "\n"


def home(reference: str, roadmap: Roadmap, files: dict[str, str]) -> Home:
    """Where a reference of the index leads; raise ContentError if it leads nowhere."""
    if reference == "charter":
        return Home(title=roadmap.charter.title, file=f"{CURRICULUM}/charter.yaml")
    owner, mark, part = _split(reference)
    found = roadmap.find(owner)
    identifier = getattr(found.item, "id", owner)
    return Home(title=_title(found, mark, part, roadmap), file=files[identifier])


def _split(reference: str) -> tuple[str, str, str]:
    for mark in "#>":
        if mark in reference:
            owner, part = reference.split(mark, 1)
            return owner, mark, part
    return reference, "", ""


def _title(found: Found, mark: str, part: str, roadmap: Roadmap) -> str:
    item = found.item
    if mark == ">":
        return _listed(item, part, roadmap)
    if mark == "#" and isinstance(item, RoadmapProblem):
        for target in item.targets:
            if target.id == part:
                return f"{target.metric}: {target.value}"
        raise ContentError(f'problem "{item.id}" has no target "{part}"')
    if mark == "#" and isinstance(item, Sequel):
        return item.steps[int(part) - 1].title
    return str(getattr(item, "title", None) or getattr(item, "name", None) or getattr(item, "issue", ""))


def _listed(item: object, resource_id: str, roadmap: Roadmap) -> str:
    if resource_id not in {reading.resource for reading in _readings(item)}:
        raise ContentError(f'"{getattr(item, "id", item)}" does not list "{resource_id}"')
    return roadmap.resources[resource_id].title


def _readings(item: object) -> tuple[Reading, ...]:
    match item:
        case Stage():
            return (*item.read, *item.watch)
        case RoadmapProblem():
            return item.resources
    return ()


def _row(item: str, references: tuple[str, ...], roadmap: Roadmap, files: dict[str, str]) -> str:
    homes = [home(reference, roadmap, files) for reference in references]
    cells = (
        item,
        ", ".join(f"`{reference}`" for reference in references),
        "; ".join(place.title for place in homes),
        ", ".join(f"`{file}`" for file in dict.fromkeys(place.file for place in homes)),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _files(pack_root: Path) -> dict[str, str]:
    return dict(reversed(list(_ids_by_file(pack_root))))


def _ids_by_file(pack_root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((pack_root / CURRICULUM).rglob("*.yaml")):
        if path.name != "quiz.yaml":
            for identifier in _ID_LINE.findall(path.read_text(encoding="utf-8")):
                yield identifier, path.relative_to(pack_root).as_posix()


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


_HEADER = (
    "# Coverage: every fact of the roadmap and where it lives",
    "",
    "Generated from `curriculum/coverage.yaml` by `python -m deepfield_cli.content.coverage`; do not edit.",
    "A test fails if this page is out of date or if an item leads nowhere.",
)


def main(arguments: list[str]) -> int:
    """Write the document, or with ``--check`` say whether it is up to date."""
    root = builtin_pack().root
    try:
        text = document(root)
    except DeepfieldError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    path = root / DOCUMENT
    if "--check" in arguments:
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        print(f"{path} is {'up to date' if same else 'out of date'}")
        return 0 if same else 1
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
