"""Problems whose grader is not written yet: a brief, a reading list and a place for notes, and never a grade."""

from __future__ import annotations

from collections.abc import Iterator

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.resource import Resource
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_problem import RoadmapProblem, RoadmapTarget
from deepfield_cli.content.stage import Reading
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.starting import BRIEF, StartReport
from deepfield_cli.journey.workspace import Workspace

NOTES = "NOTES.md"


def find_planned(name: str) -> RoadmapProblem | None:
    """The roadmap's problem of this id or alias, if no pack has it; None for any other."""
    catalogue = read_catalogue()
    listed = catalogue.find(name)
    if listed is not None and listed.pack:
        return None
    roadmap = open_roadmap()
    kind, identifier = roadmap.index.get(name, ("", ""))
    listed = catalogue.find(identifier)
    return roadmap.problems[identifier] if kind == "problem" and listed is not None and not listed.pack else None


def start_planned(workspace: Workspace, problem: RoadmapProblem) -> StartReport:
    """Lay out brief and notes where they are not there yet; a file that exists is the learner's."""
    folder = workspace.folder(problem.id)
    files = {BRIEF: brief_of(problem, open_roadmap()).encode(), NOTES: _notes(problem).encode()}
    if problem.hand_in:
        files = _offered(problem.id) | {NOTES: files[NOTES]}
    created: list[str] = []
    kept: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            (kept if path.exists() else created).append(name)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except OSError as error:
        raise WorkspaceError(
            f"cannot lay out the brief: {error.strerror}", where=str(folder), fix="check permissions"
        ) from error
    with workspace.ledger() as ledger:
        payload = {"created": created, "kept": kept, "beside": [], "planned": True}
        ledger.append("start", payload, problem=problem.id, files=files, at=now())
    return StartReport(folder, tuple(created), tuple(kept), ())


def _offered(problem_id: str) -> dict[str, bytes]:
    """Brief and starter of a problem that has a command of its own: they lie where those of all problems do."""
    location = builtin_pack().location(problem_id)
    files = {BRIEF: location.brief.read_bytes()}
    for path in sorted(location.starter.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files[path.relative_to(location.starter).as_posix()] = path.read_bytes()
    return files


def brief_of(problem: RoadmapProblem, roadmap: Roadmap) -> str:
    """The brief as Markdown, from the roadmap alone."""
    return "\n".join(_lines(problem, roadmap)) + "\n"


def _lines(problem: RoadmapProblem, roadmap: Roadmap) -> Iterator[str]:
    yield from (f"# {problem.title}", "", f"`{problem.id}` · {problem.difficulty} · no grader yet", "")
    yield from (problem.goal, "", problem.why, "")
    yield from ("## What each rung shows", "")
    yield from (f"- **{rung}**: {text}" for rung, text in problem.rungs.items())
    yield from ("", f"## What you write: `{problem.entry}`", "")
    yield from (f"- `{api.signature}`" for api in problem.api)
    yield from _listed("Numbers", map(_target, problem.targets))
    yield from _listed("Solve before", (f"`{need}`" for need in problem.needs))
    yield from _listed("Traps", problem.notes)
    names = (roadmap.concepts[concept] for concept in problem.concepts)
    yield from _listed("Concepts", (f"**{concept.name}**: {concept.summary}" for concept in names))
    yield from _listed("To read", (_reading(roadmap.resources[one.resource], one) for one in problem.resources))


def _listed(title: str, items: Iterator[str] | tuple[str, ...] | map[str]) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield from ("", f"## {title}", "", *lines)


def _target(target: RoadmapTarget) -> str:
    spread = f" ± {target.spread}" if target.spread is not None else ""
    bar = "to reach" if target.pass_mark else "to compare with"
    proof = "" if target.verified else ", from memory"
    return f"{target.metric}: {target.value:g}{spread} ({target.rung}, {bar}; {target.source}{proof})"


def _reading(resource: Resource, reading: Reading) -> str:
    part = f": {reading.part}" if reading.part else ""
    proof = "" if resource.verified else " (address from memory)"
    return f"[{resource.title}]({resource.url}){part}{proof}"


def _notes(problem: RoadmapProblem) -> str:
    return f"""# Notes on {problem.id}

## What I expect to be hard

## What I tried

## Where the paper and the world differ
"""
