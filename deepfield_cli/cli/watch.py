"""``watch``: grade again at every save."""

from __future__ import annotations

from typing import Annotated

import typer

from deepfield_cli.cli.shared import ProblemArgument, RungOption, parse_data, parse_rung


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


def watch(
    problem: ProblemArgument = None,
    rung: RungOption = "core",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The same inputs at every save.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="CHECK", help="This check only.")] = None,
    data: Annotated[
        list[str] | None, typer.Option("--data", metavar="NAME=PATH", help="A file the rung needs.")
    ] = None,
) -> None:
    """Grade at every save, until Ctrl-C. Each verdict is recorded."""
    wanted = parse_rung(rung)
    from deepfield_cli.grading.grade import Grade
    from deepfield_cli.journey.attempts import record_grade
    from deepfield_cli.journey.repros import keep_repros
    from deepfield_cli.journey.session import Session, Wish
    from deepfield_cli.journey.watching import Watch
    from deepfield_cli.journey.workspace import choose_problem, require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.watching import WatchView

    workspace = require_workspace()
    wish = Wish(rung=wanted, seed=seed, only=tuple(only or ()), data=parse_data(data or []))

    def record(outcome: Grade) -> None:
        keep_repros(workspace, outcome)
        record_grade(workspace, outcome)

    with Session(workspace, choose_problem(workspace, problem), wish) as session:
        view = WatchView(make_console(), session)
        try:
            Watch(session, view, record).run()
        except KeyboardInterrupt:
            view.farewell()
