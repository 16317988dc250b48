"""``drill`` and ``review``: estimates on the back of an envelope, and what was passed coming back in time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from deepfield_cli.journey.drilling import Reply
    from deepfield_cli.journey.workspace import Workspace
    from deepfield_cli.practice.question import Question

drill_app = typer.Typer(no_args_is_help=True, help="Practise what is asked again and again: quick estimates.")
_PROMPT = "  about "
_STOP = ("q", "quit", "exit")
_PASS = ("", "?")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(drill_app, name="drill")


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
