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
    draws: Annotated[
        int, typer.Option("--draws", min=1, help="The same for each wrong submission: all must end as it says.")
    ] = 1,
    brief: Annotated[
        bool, typer.Option("--brief", help="Grade each wrong submission with the check it names only; much quicker.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of each submission's first run; else always fresh.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge problems by their stubs, solutions, wrong submissions and strange answers; exit code 1 unless all green."""
    from deepfield_cli.authoring.check import check_problems
    from deepfield_cli.authoring.terms import Terms
    from deepfield_cli.render.authoring_progress import AuthoringProgress
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.matrix import show_check

    with AuthoringProgress() as progress:
        report = check_problems(
            problems or (),
            Terms(jobs=jobs, runs=runs, draws=draws, brief=brief, seed=seed),
            lambda step: progress.show(f"{step.problem}, {step.doing}", step.done, step.total),
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


@app.command()
def links(
    things: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Ids of resources, people, problems or flagships; all if none."),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for one answer.")] = 20.0,
    pause: Annotated[
        float, typer.Option("--pause", min=0.0, help="Seconds between two requests to one host; arXiv gets three.")
    ] = 1.0,
    hosts: Annotated[int, typer.Option("--hosts", min=1, max=32, help="Hosts asked at a time.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Ask every link of the road and of the packs whether it still leads somewhere; exit code 1 if one is dead."""
    from deepfield_cli.render.authoring_progress import AuthoringProgress
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.links import links_document, show_links
    from deepfield_cli.summit.link_check import LinkReport, Manners, check_links
    from deepfield_cli.summit.linked import gather_links

    wanted = gather_links(things or ())
    done: list[LinkReport] = []

    def tell(report: LinkReport) -> None:
        done.append(report)
        if any(one.status for one in done):  # a machine without a network has one line to say, and no progress
            progress.show("links", len(done), len(wanted))

    with AuthoringProgress() as progress:
        manners = Manners(timeout_seconds=timeout, at_a_time=hosts, pause_seconds=pause)
        reports = check_links(wanted, manners, tell)
    if as_json:
        print_json(links_document(reports))
    else:
        show_links(make_console(), reports)
    raise typer.Exit(_NOT_GREEN if any(report.state == "dead" for report in reports) else 0)
