"""``init``, ``start`` and ``reset``: the workspace, and a problem's files in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import ProblemArgument, complete_problem


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(start)
    app.command()(reset)


def init(
    folder: Annotated[Path, typer.Argument(help="The folder that becomes the workspace.")] = Path(),
    rebuild_ledger: Annotated[
        bool, typer.Option("--rebuild-ledger", help="Set a damaged record aside and begin a new one.")
    ] = False,
) -> None:
    """Make a folder your workspace; `start` does it by itself."""
    from deepfield_cli.journey.workspace import create_workspace
    from deepfield_cli.ledger import Ledger
    from deepfield_cli.render import starting
    from deepfield_cli.render.console import make_console

    workspace, created = create_workspace(folder)
    aside = Ledger.recover(workspace.database) if rebuild_ledger and workspace.has_record() else None
    workspace.ledger().close()
    starting.show_workspace(make_console(), workspace, created=created, aside=aside)


def start(
    problem: Annotated[str, typer.Argument(help="Problem id, e.g. llm/attention.", autocompletion=complete_problem)],
) -> None:
    """Lay out a problem's brief and starter; what is there already is kept.

    Of a problem whose grader is not written yet you get the brief, the reading list and a place for notes.
    """
    from deepfield_cli.content.packs import find_problem
    from deepfield_cli.journey.planned import find_planned, start_planned
    from deepfield_cli.journey.starting import start_problem
    from deepfield_cli.journey.workspace import create_workspace, find_workspace
    from deepfield_cli.render import starting
    from deepfield_cli.render.console import make_console

    found = find_workspace()
    planned = find_planned(problem)
    if planned is not None:
        workspace, _ = create_workspace(found.root if found else Path.cwd())
        return starting.show_planned(make_console(), workspace, planned, start_planned(workspace, planned))
    declared, location = find_problem(problem)
    workspace, created = create_workspace(found.root if found else Path.cwd())
    report = start_problem(workspace, location)
    starting.show_start(make_console(), workspace, declared, report, created=created)
    return None


def reset(
    problem: ProblemArgument = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Move your files of a problem aside and begin again from the starter."""
    from deepfield_cli.journey.starting import reset_problem
    from deepfield_cli.journey.workspace import choose_problem, require_workspace
    from deepfield_cli.render import starting
    from deepfield_cli.render.console import make_console

    workspace = require_workspace()
    location = choose_problem(workspace, problem)
    if not yes:
        typer.confirm(f"Move your files of {location.id} aside and begin again?", abort=True)
    starting.show_reset(make_console(), workspace, location, reset_problem(workspace, location))
