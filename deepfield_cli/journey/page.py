"""The page of one problem: what is asked, what is checked, and how far the learner is with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.packs import ProblemLocation, problem_ids
from deepfield_cli.content.problem import Problem
from deepfield_cli.errors import ContentError
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.status import ProblemStatus
from deepfield_cli.journey.workspace import (
    Workspace,
    choose_problem,
    find_workspace,
    last_started,
    planned_at,
    problem_at,
)


@dataclass(frozen=True)
class Promise:
    """One check as the learner may know it beforehand: its name and what it promises, never its inputs."""

    name: str
    description: str
    rung: str
    points: int
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Everything about one problem that is no secret.

    Attributes:
        problem: the declaration.
        status: how far it is.
        checks: what will be checked, in order.
        without_checks: why there are none, where the grader cannot be loaded.

    """

    problem: Problem
    status: ProblemStatus
    checks: tuple[Promise, ...]
    without_checks: str | None


def has_page(name: str) -> bool:
    """Whether a pack can show a problem of this name, or the problem whose folder this is."""
    workspace, path = find_workspace(), Path(name)
    is_folder = workspace is not None and path.is_dir() and problem_at(workspace, path) is not None
    return is_folder or name.strip("/") in problem_ids()


def by_id(name: str | None) -> str | None:
    """A problem's id for one of its longer names; anything else as it is."""
    if name is None or has_page(name) or "/" not in name:
        return name
    from deepfield_cli.content.road import open_roadmap

    return open_roadmap().index.get(name, ("", name))[1]


def planned_at_hand() -> str | None:
    """The problem at hand, if nothing can grade it yet."""
    workspace = find_workspace()
    if workspace is None or problem_at(workspace, Path.cwd()) is not None:
        return None
    return planned_at(workspace, Path.cwd()) or _as_planned(last_started(workspace))


def _as_planned(name: str | None) -> str | None:
    listed = read_catalogue().find(name) if name is not None else None
    return listed.id if listed is not None and not listed.pack else None


def open_page(wanted: str | None) -> Page:
    """The page of the problem named, else of the one at hand; without a workspace nothing of it is solved yet."""
    workspace = find_workspace()
    location = choose_problem(workspace or Workspace(Path.cwd()), wanted)
    problem = location.load()
    status = next(one for one in read_problems(workspace) if one.problem.id == location.id)
    try:
        return Page(problem, status, _promises(location), None)
    except ContentError as error:
        return Page(problem, status, (), str(error))


def _promises(location: ProblemLocation) -> tuple[Promise, ...]:
    from deepfield_cli.grading.loading import load_suite

    return tuple(
        Promise(check.name, check.description, check.rung, check.points, check.needs)
        for check in load_suite(location).checks
    )
