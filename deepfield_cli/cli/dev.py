"""``deepfield dev``: what authors of problems need, for the built-in pack and for their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, complete_problem, print_json

app = typer.Typer(no_args_is_help=True, help="For authors: begin a problem, judge it, mutate its solution.")

_NOT_GREEN = 1
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Submissions graded at a time.")]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="dev")


@app.command()
def new(
    problem: Annotated[str, typer.Argument(metavar="FIELD/SLUG", help="Id of the problem, e.g. llm/layer-norm.")],
    pack: Annotated[
        Path | None, typer.Option("--pack", help="Folder of the pack; the built-in one in a checkout.")
    ] = None,
) -> None:
    """Write the folders of a new problem: a small one that works, with comments that explain the format."""
    from deepfield_cli.authoring.new import new_problem

    written = new_problem(problem, pack)
    for path in written.files:
        typer.echo(path)
    typer.echo(f"Next: {written.next_command}")


@app.command()
def check(
    problems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Problem ids; all if none.", autocompletion=complete_problem),
    ] = None,
    jobs: JobsOption = 2,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Consecutive runs of each solution, fresh seeds.")] = 1,
    brief: Annotated[
        bool, typer.Option("--brief", help="Grade wrong submissions up to their first failure only; much quicker.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge problems by their stubs, solutions, wrong submissions and strange answers; exit code 1 unless all green."""
    from deepfield_cli.authoring.check import check_problems
    from deepfield_cli.render.authoring_progress import AuthoringProgress
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.matrix import show_check

    with AuthoringProgress() as progress:
        report = check_problems(
            problems or (),
            jobs=jobs,
            runs=runs,
            brief=brief,
            on_step=lambda step: progress.show(f"{step.problem}, {step.doing}", step.done, step.total),
        )
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show_check(make_console(), report)
    raise typer.Exit(0 if report.green else _NOT_GREEN)


@app.command()
def mutate(
    problem: Annotated[str, typer.Argument(metavar="ID", help="Problem id.", autocompletion=complete_problem)],
    solution: Annotated[str | None, typer.Option("--solution", help="File below solutions/; the shipped one.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Try only so many, spread evenly.")] = None,
    jobs: JobsOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Change a solution in small ways, one at a time, and report which changes no check notices."""
    from deepfield_cli.authoring.mutation import mutate as mutate_solution
    from deepfield_cli.render.authoring_progress import AuthoringProgress
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.mutants import show_mutation

    with AuthoringProgress() as progress:
        report = mutate_solution(
            problem,
            solution=solution,
            limit=limit,
            jobs=jobs,
            on_step=lambda done, total: progress.show(f"{problem}, mutants", done, total),
        )
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show_mutation(make_console(), report)
    raise typer.Exit(0 if report.green else _NOT_GREEN)
