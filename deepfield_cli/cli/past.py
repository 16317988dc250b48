"""``history``, ``diff``, ``restore``, ``solution``, ``repro`` and ``verify``: what was tried, and what it proves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, ProblemArgument, SvgOption, complete_problem, parse_data, print_json

DataOption = Annotated[
    list[str] | None, typer.Option("--data", metavar="NAME=PATH", help="A file that the rung needs.")
]
AttemptOption = Annotated[
    int | None, typer.Option("--attempt", "-a", min=1, metavar="N", help="Number of an attempt; see history.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (history, diff, restore, solution, repro, verify):
        app.command()(command)


def history(
    problem: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROBLEM]",
            help="Problem id. Default: the problem of this folder, else all.",
            autocompletion=complete_problem,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.")] = 20,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw the curves that were kept with these attempts instead.")
    ] = False,
    svg: SvgOption = None,
    as_json: JsonOption = False,
) -> None:
    """Your attempts, the newest first: score, first failure, diagnosis and seed."""
    if plot or svg is not None:
        return _plot(problem, limit, svg, as_json=as_json)
    from deepfield_cli.journey.history import read_history
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.history import history_document, show_history

    found = read_history(require_workspace(), problem, limit)
    if as_json:
        print_json(history_document(found))
    else:
        show_history(make_console(), found)
    return None


def _plot(problem: str | None, limit: int, svg: Path | None, *, as_json: bool) -> None:
    """The curves of the newest attempts, in the terminal, as a document or as a file."""
    from deepfield_cli.journey.curves import read_charts
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.curves import charts_document, show_charts, show_no_charts

    charts = read_charts(require_workspace(), problem, limit)
    if svg is not None:
        from deepfield_cli.render.chart_file import write_charts

        write_charts(svg, charts)
    if as_json:
        return print_json(charts_document(charts))
    return show_charts(make_console(), charts) if charts else show_no_charts(make_console())


def diff(
    first: Annotated[int | None, typer.Argument(metavar="[A]", min=1, help="Number of an attempt.")] = None,
    second: Annotated[
        int | None, typer.Argument(metavar="[B]", min=1, help="A later one. Default: your files as they are now.")
    ] = None,
) -> None:
    """What changed between two attempts: lines and checks. Without numbers: the last two at this problem."""
    from deepfield_cli.journey.comparison import compare
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.diff import show_comparison

    show_comparison(make_console(), compare(require_workspace(), first, second))


def restore(number: Annotated[int, typer.Argument(metavar="N", min=1, help="Number of an attempt.")]) -> None:
    """Lay the files of an attempt beside yours; nothing is overwritten."""
    from deepfield_cli.journey.restoring import restore_attempt
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.past import show_restored

    workspace = require_workspace()
    show_restored(make_console(), workspace, restore_attempt(workspace, number))


def solution(
    problem: ProblemArgument = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Show it unsolved; this is recorded.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """The shipped solution, once core is solved. Exit code 2 where it is not shown."""
    from deepfield_cli.journey.solution import open_solution
    from deepfield_cli.journey.workspace import choose_problem, require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.solution import show_solution

    workspace = require_workspace()
    location = choose_problem(workspace, problem)

    def is_sure() -> bool:
        return yes or _confirm(f"Give up on {location.id}? The record will say so.")

    show_solution(make_console(), open_solution(workspace, location, give_up=give_up, is_sure=is_sure))


def _confirm(question: str) -> bool:
    """Ask on standard error: what goes to standard output is the solution, and may go into a file."""
    sys.stderr.write(f"{question} [y/N]: ")
    sys.stderr.flush()
    reply = sys.stdin.readline()
    if not reply:
        raise typer.Abort
    return reply.strip().lower() in ("y", "yes")


def repro(
    problem: ProblemArgument = None,
    attempt: AttemptOption = None,
    check: Annotated[
        str | None, typer.Option("--check", metavar="NAME", help="Default: the first that failed.")
    ] = None,
    data: DataOption = None,
) -> None:
    """A failed check as a script: the exact inputs, your function, the difference. Default: the newest attempt."""
    from deepfield_cli.journey.reproduction import reproduce
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.past import show_reproduction

    workspace = require_workspace()
    found = reproduce(workspace, problem, attempt, check, parse_data(data or []))
    show_reproduction(make_console(), workspace, found)


def verify(
    attempt: AttemptOption = None,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Grade again what solves each problem; with --attempt, that one.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the record: every hash again, and stored attempts graded again. Exit code 1 if anything disagrees."""
    from deepfield_cli.journey.verification import verify as verify_record
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.past import show_verification, verification_document

    found = verify_record(require_workspace(), attempt, regrade=regrade, data=parse_data(data or []))
    if as_json:
        print_json(verification_document(found))
    else:
        show_verification(make_console(), found)
    raise typer.Exit(found.exit_code)
