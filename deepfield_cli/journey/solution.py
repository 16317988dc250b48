"""The shipped solution: shown to who has solved the problem, or has given up on the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.errors import ContentError, WorkspaceError
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.workspace import Workspace

GIVE_UP = "give-up"


@dataclass(frozen=True)
class Solution:
    """The shipped solution.

    Attributes:
        problem: problem id.
        files: path to text.
        gave_up: shown because the learner gave up, not because they solved it.

    """

    problem: str
    files: Mapping[str, str]
    gave_up: bool


def open_solution(
    workspace: Workspace, location: ProblemLocation, *, give_up: bool, is_sure: Callable[[], bool]
) -> Solution:
    """Show the solution once the first rung is solved; before that only to who gives up, which is recorded.

    Raises:
        WorkspaceError: it is not solved, and nobody gives up.

    """
    status = next(one for one in read_problems(workspace) if one.problem.id == location.id)
    files = _read(location)
    rung = status.first_rung
    if rung.state in ("solved", "outdated") or status.gave_up:
        return Solution(location.id, files, gave_up=status.gave_up)
    if not give_up:
        raise WorkspaceError(
            f"the solution of {location.id} is shown once its {rung.rung} rung is solved",
            fix=f"deepfield hint {location.id}; or add --give-up, which is recorded",
        )
    if not is_sure():
        raise WorkspaceError("not given up: nothing is shown, nothing is recorded")
    with workspace.ledger() as ledger:
        payload = {"problem_version": status.problem.version, "attempts": status.attempts}
        ledger.append(GIVE_UP, payload, problem=location.id, at=now())
    return Solution(location.id, files, gave_up=True)


def _read(location: ProblemLocation) -> dict[str, str]:
    """The first solution in alphabetical order: one file, which stands for the entry, or a folder."""
    solutions = location.solutions()
    if not solutions:
        raise ContentError("this problem ships no solution", where=location.id)
    shipped = solutions[0]
    if shipped.is_file():
        return {location.load().entry: shipped.read_text(encoding="utf-8")}
    return {path.relative_to(shipped).as_posix(): path.read_text(encoding="utf-8") for path in _sources(shipped)}


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
