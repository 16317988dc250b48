"""What ``init``, ``start`` and ``reset`` say."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Problem
from deepfield_cli.content.roadmap_problem import RoadmapProblem
from deepfield_cli.journey.starting import BRIEF, StartReport
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.console import foreign


def show_workspace(console: Console, workspace: Workspace, *, created: bool, aside: Path | None) -> None:
    """Say where the workspace is."""
    if aside is not None:
        console.print(foreign(f"The damaged record is kept at {aside}; a new one has begun."))
    word = "New workspace" if created else "This is already a workspace"
    console.print(foreign(f"{word}: {workspace.root}"))
    console.print("Next: [accent]deepfield list[/], then [accent]deepfield start llm/attention[/]")


def show_start(console: Console, workspace: Workspace, problem: Problem, report: StartReport, *, created: bool) -> None:
    """Say what was laid out and what comes next."""
    if created:
        console.print(foreign(f"New workspace: {workspace.root}", "quiet"))
    console.print(f"[strong]{problem.title}[/]  [quiet]{problem.id} · {problem.difficulty}[/]")
    console.print(problem.summary, style="quiet")
    console.print()
    folder = workspace.shown(report.folder)
    for word, names in (("wrote", report.created), ("kept", report.kept), ("new version beside yours", report.beside)):
        for name in names:
            console.print(foreign(f"  {word:<6} {folder}/{name}", "good" if word == "wrote" else ""))
    console.print()
    console.print(foreign(f"  1  read   {folder}/{BRIEF}"))
    console.print(foreign(f"  2  write  {folder}/{problem.entry}"))
    console.print(f"  3  run    [accent]deepfield grade {problem.id}[/]  or  [accent]deepfield watch {problem.id}[/]")


def show_planned(console: Console, workspace: Workspace, problem: RoadmapProblem, report: StartReport) -> None:
    """Say what was laid out of a problem that nothing can grade yet."""
    console.print(f"[strong]{problem.title}[/]  [quiet]{problem.id} · {problem.difficulty}[/]")
    if not problem.hand_in:
        console.print(foreign("Its grader is not written yet: there is a brief to read and a place for notes.", "warn"))
    console.print()
    folder = workspace.shown(report.folder)
    for word, names in (("wrote", report.created), ("kept", report.kept)):
        for name in names:
            console.print(foreign(f"  {word:<6} {folder}/{name}", "good" if word == "wrote" else ""))
    console.print()
    if problem.hand_in:
        console.print(foreign(f"  1  read   {folder}/{BRIEF}"))
        console.print(foreign(f"  2  write  {folder}/{problem.entry}"))
        console.print(f"  3  run    [accent]{problem.hand_in}[/]")
        return
    console.print(f"Next: [accent]deepfield show {problem.id}[/], or [accent]deepfield gap add {problem.id}[/]")


def show_reset(console: Console, workspace: Workspace, location: ProblemLocation, aside: Path | None) -> None:
    """Say where the old work is."""
    if aside is not None:
        console.print(foreign(f"Your earlier files are in {workspace.shown(aside)}"))
    console.print(foreign(f"{workspace.shown(workspace.folder(location.id))} holds the starter again."))
