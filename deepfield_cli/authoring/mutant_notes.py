"""mutants.yaml: the mutants that no suite can kill, each with the reason why it is no mistake."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Frozen
from deepfield_cli.content.strict_yaml import load_yaml_with_lines, parse_model
from deepfield_cli.errors import near_miss


class MutantNote(Frozen):
    """One mutant that survives, and why that is right."""

    mutant: str = Field(
        pattern=r"^[0-9a-f]{10}( |$)",
        description="as deepfield dev mutate prints it; the first ten characters count, the rest is for people",
    )
    solution: str = Field(description="the file below solutions/ that was changed")
    reason: str = Field(min_length=15, description="why nobody could tell it from the solution")

    @property
    def key(self) -> str:
        """What the mutant is recognised by."""
        return self.mutant[:10]


def notes_path(location: ProblemLocation) -> Path:
    """Where the notes of a problem stand."""
    return location.grader / "mutants.yaml"


def load_notes(location: ProblemLocation) -> list[tuple[MutantNote, str]]:
    """The notes of a problem, each with its file and line; raise ContentError if they do not load."""
    path = notes_path(location)
    if not path.is_file():
        return []
    value, lines = load_yaml_with_lines(path)
    notes = parse_model(value or [], lines, path, tuple[MutantNote, ...])
    return [(note, f"{path}:{lines.get((index,), 1)}") for index, note in enumerate(notes)]


def note_findings(location: ProblemLocation) -> list[Finding]:
    """Notes about solutions that do not exist, and two about the same mutant."""
    known = [name for path in location.solutions() for name in file_names(path)]
    findings = []
    seen: set[tuple[str, str]] = set()
    for note, where in load_notes(location):
        if note.solution not in known:
            hint = near_miss(note.solution, known) or f"there are {', '.join(known)}"
            findings.append(Finding(where=where, what=f'there is no solution "{note.solution}"', fix=hint))
        if (note.key, note.solution) in seen:
            findings.append(Finding(where=where, what=f"{note.key} is explained twice", fix="keep one of the two"))
        seen.add((note.key, note.solution))
    return findings


def file_names(solution: Path) -> list[str]:
    """The Python files of one solution, by their path below solutions/."""
    if not solution.is_dir():
        return [solution.name]
    return sorted(path.relative_to(solution.parent).as_posix() for path in solution.rglob("*.py"))


def as_yaml(mutant: str, solution: str) -> str:
    """An entry to paste into mutants.yaml; JSON texts are YAML texts."""
    texts = {"mutant": mutant, "solution": solution, "reason": ""}
    first, *rest = (f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in texts.items())
    return "\n".join([f"- {first}", *(f"  {line}" for line in rest)])
