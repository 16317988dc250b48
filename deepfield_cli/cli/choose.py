"""``pick-field``, ``commit``, ``season`` and ``enjoy``: which field is yours, and the weeks that you give it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, complete_problem, print_json
from deepfield_cli.errors import DeepfieldError

if TYPE_CHECKING:
    from deepfield_cli.content.quiz import Quiz
    from deepfield_cli.journey.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="pick-field")(pick_field)
    for command in (commit, season, enjoy):
        app.command()(command)


def pick_field(
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Answers as YAML or JSON: question id to answer id."),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="Count only what you did from this day on.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Forget the answers of an interrupted quiz.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The decision quiz: which field is yours, by your taste and by what you did; asks again where it was stopped."""
    from deepfield_cli.content.road import open_roadmap
    from deepfield_cli.journey.quiz_sitting import finish, forget_open_answers, open_answers, read_answers
    from deepfield_cli.journey.workspace import find_workspace
    from deepfield_cli.render.choice import choice_document, questions_document, show_choice
    from deepfield_cli.render.console import make_console

    roadmap = open_roadmap()
    workspace = find_workspace()
    if again and workspace is not None:
        forget_open_answers(workspace)
    given = open_answers(workspace, roadmap.quiz)
    if answers is not None:
        given.update(read_answers(answers, roadmap.quiz))
    elif as_json and len(given) < len(roadmap.quiz.questions):
        return print_json(questions_document(roadmap.quiz, given))
    elif not as_json:
        asked = _ask(workspace, roadmap.quiz, given)
        if asked is None:
            return None
        given = asked
    choice = finish(workspace, roadmap.quiz, given, _moment(since))
    if as_json:
        return print_json(choice_document(choice))
    show_choice(make_console(), choice, roadmap.charter.two_fields)
    return None


def commit(
    field: Annotated[str, typer.Argument(help="The field: llm, vision, rl, recsys or mlsys.")],
    weeks: Annotated[int | None, typer.Option("--weeks", help="How long; twelve at least.", show_default="12")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Open a season of at least twelve weeks for one field. Inside it, switching is refused with exit code 2."""
    from deepfield_cli.content.road import open_roadmap
    from deepfield_cli.journey.season import commit as commit_to
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.season import show_commitment

    workspace = require_workspace()
    if not yes and sys.stdin.isatty():
        typer.confirm(f"A season of {field} for {weeks or 12} weeks, without switching?", abort=True)
    rule = open_roadmap().charter.season.rule
    show_commitment(make_console(), commit_to(workspace, field, weeks), rule)


def season(
    reached: Annotated[
        int | None, typer.Option("--reached", metavar="N", min=1, help="Record that you reached milestone N.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Your season: weeks, milestones and slips; at its end, the evidence and the choice again."""
    from deepfield_cli.journey.season_page import open_season, reach_milestone
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.season import season_page_document, show_season

    workspace = require_workspace()
    if reached is not None:
        reach_milestone(workspace, reached)
    page = open_season(workspace)
    if as_json:
        return print_json(season_page_document(page))
    show_season(make_console(), page)
    return None


def enjoy(
    problem: Annotated[str, typer.Argument(help="Problem id.", autocompletion=complete_problem)],
    rating: Annotated[int, typer.Argument(help="1 (never again) to 5 (more of this).")],
) -> None:
    """Say how much you enjoyed a problem that you solved; `grade` asks it after a pass. The quiz weighs it."""
    from deepfield_cli.journey.attempts import is_solved
    from deepfield_cli.journey.enjoyment import record_enjoyment
    from deepfield_cli.journey.workspace import choose_problem, require_workspace
    from deepfield_cli.render.console import make_console

    workspace = require_workspace()
    location = choose_problem(workspace, problem)
    rung = next((name for name in ("paper", "laptop", "core") if is_solved(workspace, location.id, name)), None)
    if rung is None:
        raise DeepfieldError(f"{location.id} is not solved yet", fix=f"deepfield grade {location.id}")
    record_enjoyment(workspace, location.id, rating, rung)
    make_console().print(f"Noted: {location.id} {rating} of 5.")


def _ask(workspace: Workspace | None, quiz: Quiz, given: dict[str, str]) -> dict[str, str] | None:
    from deepfield_cli.journey.quiz_sitting import record_answer
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.choice import ask_questions
    from deepfield_cli.render.console import make_console

    workspace = workspace or require_workspace()
    console = make_console()
    found = ask_questions(console, quiz, given, lambda question, answer: record_answer(workspace, question, answer))
    if found is None:
        console.print("Stopped. [accent]deepfield pick-field[/] goes on where you are.")
    return found


def _moment(day: str) -> str:
    """The first moment of a day as the record writes it; empty for the beginning of all."""
    from deepfield_cli.journey.clock import parse_day

    if not day:
        return ""
    return datetime.combine(parse_day(day, "--since"), time()).astimezone().astimezone(UTC).isoformat()
