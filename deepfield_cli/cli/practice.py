"""``drill`` and ``review``: estimates on the back of an envelope, and what was passed coming back in time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, complete_problem, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from deepfield_cli.content.packs import ProblemLocation
    from deepfield_cli.grading.grade import Grade
    from deepfield_cli.journey.drilling import Reply
    from deepfield_cli.journey.reviewing import OpenReview
    from deepfield_cli.journey.workspace import Workspace
    from deepfield_cli.practice.question import Question

drill_app = typer.Typer(no_args_is_help=True, help="Practise what is asked again and again: quick estimates.")
_CONCEPTS = "concepts"
_MOST_CONCEPTS = 10
_PROMPT = "  about "
_STOP = ("q", "quit", "exit")
_PASS = ("", "?")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(review)
    app.add_typer(drill_app, name="drill")


def review(
    problem: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROBLEM|concepts]",
            help="A problem that you solved, or: concepts. Default: what is due.",
            autocompletion=complete_problem,
        ),
    ] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="End this review unsolved; it comes back soon.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What comes back: solved problems from the stub, concepts as drills. Exit code 1 if a review failed."""
    from deepfield_cli.journey.workspace import require_workspace

    workspace = require_workspace()
    if problem is None:
        return _show_agenda(workspace, as_json=as_json)
    if problem == _CONCEPTS:
        return _review_concepts(workspace)
    raise typer.Exit(_review_problem(workspace, problem, give_up=give_up, as_json=as_json))


def _show_agenda(workspace: Workspace, *, as_json: bool) -> None:
    from deepfield_cli.journey.clock import now
    from deepfield_cli.journey.reviewing import read_agenda
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.reviewing import agenda_document, show_agenda

    agenda = read_agenda(workspace)
    if as_json:
        return print_json(agenda_document(agenda))
    show_agenda(make_console(), agenda, now())
    return None


def _review_concepts(workspace: Workspace) -> None:
    from deepfield_cli.journey.drilling import questions_about
    from deepfield_cli.journey.reviewing import read_agenda
    from deepfield_cli.practice.envelope import fresh_seed

    seed = fresh_seed()
    questions = questions_about(read_agenda(workspace).due_concepts[:_MOST_CONCEPTS], seed)
    if not questions:
        typer.echo("No concept is due. deepfield drill envelope asks anyway.")
    else:
        _play(questions, seed, workspace)


def _review_problem(workspace: Workspace, wanted: str, *, give_up: bool, as_json: bool) -> int:
    """Lay it out, or grade what was written since; return the exit code."""
    from deepfield_cli.content.packs import find_location
    from deepfield_cli.journey.clock import now
    from deepfield_cli.journey.reviewing import begin_review, finish_review, give_up_review, is_untouched
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.reviewing import reviewed_document, show_open, show_reviewed

    location = find_location(wanted.strip("/"))
    found = begin_review(workspace, location)
    if not give_up and is_untouched(found, location):
        where = workspace.shown(found.folder)
        if as_json:
            print_json({"schema_version": 1, "problem": found.problem, "folder": str(found.folder), "rating": None})
        else:
            show_open(make_console(), found, where, location.load().entry)
        return 0
    if give_up:
        code, reviewed = 1, give_up_review(workspace, found)
    else:
        outcome = _grade_review(workspace, location, found, quiet=as_json)
        code, reviewed = outcome.result.exit_code, finish_review(workspace, found, outcome)
    if as_json:
        print_json(reviewed_document(found, reviewed))
    else:
        show_reviewed(make_console(), reviewed, now())
    return code


def _grade_review(workspace: Workspace, location: ProblemLocation, found: OpenReview, *, quiet: bool) -> Grade:
    from deepfield_cli.journey.session import Session, Wish
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.live import LiveChecks
    from deepfield_cli.render.verdict import show_verdict

    with Session(workspace, location, Wish()) as session:
        session.folder = found.folder
        if quiet:
            return session.grade()
        console = make_console()
        with LiveChecks(console, location.id, "review") as live:
            outcome = session.grade(live.listener())
        show_verdict(console, outcome.result, folder=workspace.shown(found.folder))
        return outcome


@drill_app.callback()
def _drills() -> None:
    """Practise what is asked again and again: quick estimates."""


@drill_app.command()
def envelope(
    field: Annotated[str | None, typer.Option("--field", metavar="FIELD", help="Only this field, e.g. llm.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=500, help="How many questions.")] = 5,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Draw the same questions again.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Back-of-the-envelope questions, right within a factor of two; --json prints them with answers, unrecorded."""
    from deepfield_cli.journey.workspace import find_workspace
    from deepfield_cli.practice.envelope import draw_questions, drills, fresh_seed

    chosen = fresh_seed() if seed is None else seed
    questions = draw_questions(count, chosen, drills(field))
    if as_json:
        from deepfield_cli.render.drilling import round_document

        return print_json(round_document(questions, chosen))
    workspace = find_workspace()
    _play(questions, chosen, workspace if workspace is not None and workspace.private.is_dir() else None)
    return None


def _play(questions: Sequence[Question], seed: int, workspace: Workspace | None) -> None:
    """Put the questions one after the other; every reply is kept as soon as it is given."""
    from deepfield_cli.journey.drilling import record_reply
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.drilling import show_answer, show_question, show_round

    console = make_console()
    console.print(
        f"[quiet]Right within a factor of two. Units are understood: 12 GB, 3 min, 2.5k, 40%, 6e21. "
        f"Enter passes, q stops. Seed {seed}.[/]"
    )
    replies: list[Reply] = []
    for number, question in enumerate(questions, start=1):
        show_question(console, question, number, len(questions))
        reply = _ask(console, question)
        if reply is None:
            break
        show_answer(console, reply)
        replies.append(reply)
        if workspace is not None:
            record_reply(workspace, reply, seed)
    show_round(console, replies, recorded=workspace is not None)


def _ask(console: Console, question: Question) -> Reply | None:
    """The reply; None if the learner stops. What is no number is asked for again."""
    from deepfield_cli.journey.drilling import Reply
    from deepfield_cli.practice.quantity import QuantityError, parse_quantity
    from deepfield_cli.render.console import foreign

    while True:
        text = _read_line(console)
        if text is None or text.lower() in _STOP:
            return None
        if text in _PASS:
            return Reply(question, "", None)
        try:
            return Reply(question, text, parse_quantity(text, question.unit))
        except QuantityError as error:
            console.print(foreign(f"  {error}", "warn"))


def _read_line(console: Console) -> str | None:
    """A line from the keyboard, or from whatever stands in its place; None at the end."""
    console.print(_PROMPT, end="", style="accent")
    try:
        line = input() if sys.stdin.isatty() else sys.stdin.readline()
    except EOFError:
        line = ""
        console.print()
        return None
    if not sys.stdin.isatty():
        console.print()
        return line.strip() if line else None
    return line.strip()
