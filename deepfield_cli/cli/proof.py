"""``gap`` and ``attest``: evidence that no grader can see, kept honest by being named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json
from deepfield_cli.errors import DeepfieldError

if TYPE_CHECKING:
    from deepfield_cli.content.milestone import Rubric

ProblemOption = Annotated[
    str | None, typer.Argument(metavar="[PROBLEM]", help="Problem id; graded or not. Default: all.")
]

gap_app = typer.Typer(help="Where a paper and the world differ: the log of a reproduction.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(gap_app, name="gap")
    app.command()(attest)


@gap_app.command(name="add")
def gap_add(
    problem: Annotated[str, typer.Argument(help="The problem that you reproduce; graded or not.")],
    paper: Annotated[str | None, typer.Option("--paper", metavar="TEXT", help="What the paper says.")] = None,
    reality: Annotated[str | None, typer.Option("--reality", metavar="TEXT", help="What it took.")] = None,
    effect: Annotated[str | None, typer.Option("--effect", metavar="TEXT", help="What it changed.")] = None,
) -> None:
    """Log a gap; what is not given as an option is asked for."""
    from deepfield_cli.journey.gaps import add_gap, require_problem
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.proofs import show_gaps

    workspace = require_workspace()
    require_problem(problem)
    says = _given(paper, "What does the paper say", "--paper")
    took = _given(reality, "What did it take", "--reality")
    show_gaps(make_console(), [add_gap(workspace, problem, says, took, effect)])


@gap_app.command(name="list")
def gap_list(problem: ProblemOption = None, as_json: JsonOption = False) -> None:
    """The gaps of one problem, or all; the oldest first."""
    from deepfield_cli.journey.gaps import read_gaps
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.proofs import gaps_document, show_gaps

    gaps = read_gaps(require_workspace(), problem)
    if as_json:
        return print_json(gaps_document(gaps))
    show_gaps(make_console(), gaps)
    return None


@gap_app.command(name="export")
def gap_export(
    problem: ProblemOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
) -> None:
    """The log as Markdown."""
    from deepfield_cli.journey.gaps import gaps_markdown, read_gaps
    from deepfield_cli.journey.workspace import require_workspace

    text = gaps_markdown(read_gaps(require_workspace(), problem))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.expanduser().write_text(text, encoding="utf-8")
    except OSError as error:
        raise DeepfieldError(f"cannot write: {error.strerror}", where=str(output), fix="choose another file") from error


def attest(
    thing: Annotated[
        str | None, typer.Argument(metavar="[THING]", help="A rubric, or an item that needs one. Default: list them.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="What you hand in.")] = None,
    link: Annotated[str | None, typer.Option("--link", metavar="URL", help="Where it can be seen.")] = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many things it holds.")] = 1,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Anything worth saying.")] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="Question id to true or false, YAML or JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Vouch for what no grader can see, against a rubric. Exit code 1 if the honest answers are not enough."""
    from deepfield_cli.content.road import open_roadmap
    from deepfield_cli.journey import attesting
    from deepfield_cli.journey.workspace import find_workspace, require_workspace
    from deepfield_cli.render import proofs
    from deepfield_cli.render.console import make_console

    if thing is None:
        rubrics, made = open_roadmap().rubrics, attesting.read_attestations(find_workspace())
        if as_json:
            return print_json(proofs.attestations_document(rubrics, made))
        proofs.show_rubrics(make_console(), rubrics, made)
        return None
    workspace = require_workspace()
    rubric = attesting.find_rubric(thing)
    given = attesting.read_rubric_answers(answers, rubric) if answers is not None else _ask(rubric)
    found = attesting.attest(workspace, rubric, given, attesting.Evidence(file, link, count, note))
    if as_json:
        return print_json(proofs.attestation_document(found))
    proofs.show_attestation(make_console(), rubric, found)
    return None


def _given(text: str | None, question: str, option: str) -> str:
    if text is not None:
        return text
    if not sys.stdin.isatty():
        raise DeepfieldError(f"{option} is missing", fix="there is no terminal to ask on")
    return str(typer.prompt(question))


def _ask(rubric: Rubric) -> dict[str, bool]:
    """Each question of the rubric, yes or no; nothing where there is nobody to ask."""
    if not sys.stdin.isatty():
        return {}
    typer.echo(f"{rubric.title}. {rubric.hand_in}")
    return {criterion.id: typer.confirm(criterion.ask) for criterion in rubric.criteria}
