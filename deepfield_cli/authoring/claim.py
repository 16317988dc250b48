"""The first line of a wrong submission: which check it must fail first, and with which diagnosis."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.problem import Problem
from deepfield_cli.errors import near_miss
from deepfield_cli.grading.diagnoses import GENERAL, look_up

_FORM = re.compile(
    r"#\s*fails:\s*(?P<check>\w+)\s+diagnosis:\s*(?P<diagnosis>[a-z0-9+-]+)(?:\s+over:\s*(?P<over>[\w-]+))?\s*$"
)
_EXAMPLE = "write: # fails: CHECK   diagnosis: MISCONCEPTION"
# A mistake that the suite catches and has no name for.
_NONE = "none"


@dataclass(frozen=True)
class Claim:
    """What a wrong submission says about itself.

    Attributes:
        path: the file or folder.
        line: where it is said, for messages.
        check: the first check that must fail.
        diagnosis: the name that it must get; None where it says ``none``.
        over: the solution over whose files it is laid (``over: reference``); None where it stands alone.

    """

    path: Path
    line: Path
    check: str
    diagnosis: str | None
    over: Path | None = None


def read_claim(path: Path, entry: str) -> Claim | Finding:
    """The claim of one wrong submission, or what is wrong with it."""
    file = _spokesman(path, entry)
    try:
        first = file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        return Finding(where=str(file), what=f"cannot be read: {error}", fix="a wrong submission needs the entry file")
    match = _FORM.match(first)
    if match is None:
        return Finding(where=f"{file}:1", what="the first line does not say what it fails", fix=_EXAMPLE)
    diagnosis = match["diagnosis"]
    over = _solution(path, match["over"]) if match["over"] else None
    if match["over"] and over is None:
        return Finding(
            where=f"{file}:1", what=f'there is no solution "{match["over"]}"', fix="name a file of solutions/"
        )
    return Claim(path, file, match["check"], None if diagnosis == _NONE else diagnosis, over)


def _spokesman(path: Path, entry: str) -> Path:
    """The file whose first line speaks for a wrong submission: its entry, or its first file if it has no entry."""
    if not path.is_dir():
        return path
    others = sorted(path.glob("*.py"))
    return others[0] if others and not (path / entry).is_file() else path / entry


def _solution(wrong: Path, name: str) -> Path | None:
    """The solution beside a wrong submission that is called so, a folder or a file."""
    folder = wrong.parent.parent / "solutions"
    return next((path for path in (folder / name, folder / f"{name}.py") if path.exists()), None)


def claim_findings(claim: Claim, checks: list[str], problem: Problem) -> list[Finding]:
    """Names in a claim that stand for nothing."""
    where = f"{claim.line}:1"
    found = []
    if claim.check not in checks:
        hint = near_miss(claim.check, checks) or f"the suite has {', '.join(checks)}"
        found.append(Finding(where=where, what=f'the suite has no check "{claim.check}"', fix=hint))
    if claim.diagnosis is not None and look_up(claim.diagnosis, problem) is None:
        found.append(Finding(where=where, **unknown_diagnosis(claim.diagnosis, problem)))
    return found


def unknown_diagnosis(name: str, problem: Problem) -> dict[str, str]:
    """What to say about a diagnosis that no learner could look up."""
    known = [*problem.misconceptions, *GENERAL]
    hint = near_miss(name, known) or "add it to misconceptions in problem.yaml"
    return {"what": f'no misconception is called "{name}"', "fix": hint}
