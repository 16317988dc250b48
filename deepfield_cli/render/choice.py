"""The field quiz on the terminal: one question at a time, and its result with reasons and doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.content.charter import TwoFieldRule
from deepfield_cli.content.quiz import Question, Quiz
from deepfield_cli.journey.field_choice import Choice, Ranked
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import can_show_signs

_WIDEST = 100
_BAR = 24
_MOST_CHANGES = 3
_SURE = {
    "clear": ("The answer is clear.", "good"),
    "leaning": ("It leans that way, no more.", "warn"),
    "open": ("It is open between the first two.", "warn"),
}


def ask_questions(
    console: Console, quiz: Quiz, answers: Mapping[str, str], remember: Callable[[str, str], None]
) -> dict[str, str] | None:
    """Ask what is not answered yet; None if the learner stops before the end. Every answer is remembered at once."""
    given = dict(answers)
    width = min(console.width, _WIDEST)
    if given:
        console.print(f"You have answered {len(given)} of {len(quiz.questions)}; here are the others.", style="quiet")
    else:
        console.print(foreign(quiz.intro), width=width)
    console.print("[quiet]A number answers, Enter skips, q stops: what you answered is kept.[/]")
    for place, question in enumerate(quiz.questions, start=1):
        if question.id in given:
            continue
        _show_question(console, question, place, len(quiz.questions))
        answer = _read_answer(console, question)
        if answer == "q":
            return None
        if answer:
            given[question.id] = answer
            remember(question.id, answer)
    return given


def show_choice(console: Console, choice: Choice, rule: TwoFieldRule) -> None:
    """Print the ranking with its reasons, how sure it is, and what to do before deciding."""
    console.print()
    top = max(abs(one.points) for one in choice.ranking) or 1.0
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(width=_BAR)
    table.add_column(no_wrap=True)
    for place, one in enumerate(choice.ranking):
        style = "accent" if place == 0 else ""
        length = round(max(one.points, 0) / top * _BAR)
        bar = ("█" if can_show_signs(console) else "#") * length
        table.add_row(Text(one.field, "strong" if place < 2 else ""), Text(bar, style), _points(one))
    console.print(Padding(table, (0, 0, 0, 2)))
    for one in choice.ranking[:2]:
        console.print()
        console.print(Text(f"  {one.field}", "strong").append(" because", "quiet"))
        for reason in one.reasons:
            console.print(Padding(foreign(reason), (0, 0, 0, 4)), width=min(console.width, _WIDEST))
    console.print()
    words, style = _SURE[choice.sure]
    answered = (
        f" {choice.answered} of {choice.questions} questions answered." if choice.answered < choice.questions else ""
    )
    console.print(Text(f"  {words}", style).append(f" The lead is {choice.lead:g} points.{answered}", "quiet"))
    _show_changes(console, choice)
    _show_tries(console, choice, rule)


def choice_document(choice: Choice) -> dict[str, Any]:
    """The result as JSON."""
    ranking = [{**as_document(one), "points": one.points} for one in choice.ranking]
    return {
        "schema_version": SCHEMA_VERSION,
        "ranking": ranking,
        "sure": choice.sure,
        "lead": choice.lead,
        "changes": as_document(choice.changes),
        "try_first": [one.model_dump(mode="json") for one in choice.try_first],
        "answered": choice.answered,
        "questions": choice.questions,
    }


def questions_document(quiz: Quiz, answers: Mapping[str, str]) -> dict[str, Any]:
    """The questions as JSON, for who answers from a file."""
    questions = [
        {"id": one.id, "ask": one.ask, "answers": {answer.id: answer.text for answer in one.answers}}
        for one in quiz.questions
    ]
    return {"schema_version": SCHEMA_VERSION, "questions": questions, "answered": dict(answers)}


def _show_question(console: Console, question: Question, place: int, count: int) -> None:
    console.print()
    head = Text(f"{place}/{count}  ", "quiet").append_text(foreign(question.ask, "strong"))
    console.print(head, width=min(console.width, _WIDEST))
    for number, answer in enumerate(question.answers, start=1):
        line = Text(f"  {number}  ", "accent").append_text(foreign(answer.text))
        console.print(line, width=min(console.width, _WIDEST))


def _read_answer(console: Console, question: Question) -> str:
    """The id of an answer, empty to skip, or q."""
    while True:
        try:
            typed = console.input("  > ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return "q"
        if typed in ("", "q"):
            return typed
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(question.answers):
            return question.answers[int(typed) - 1].id
        console.print(f"  [quiet]1 to {len(question.answers)}, Enter to skip, q to stop[/]")


def _points(one: Ranked) -> Text:
    text = Text(f"{one.points:g}")
    if one.evidence:
        text.append(f"  {one.opinion} from answers, {one.evidence:+g} from what you did", "quiet")
    return text


def _show_changes(console: Console, choice: Choice) -> None:
    if not choice.changes:
        console.print("  [quiet]No other single reply would have put another field first.[/]")
        return
    for change in choice.changes[:_MOST_CHANGES]:
        line = Text("  If you had answered ", "quiet").append_text(foreign(f'"{change.text}"'))
        line.append_text(foreign(f" to “{change.ask}”, ", "quiet")).append(change.winner, "strong").append(
            " would win."
        )
        console.print(line, width=min(console.width, _WIDEST))


def _show_tries(console: Console, choice: Choice, rule: TwoFieldRule) -> None:
    console.print()
    console.print(Padding(foreign(rule.rule), (0, 0, 0, 2)), width=min(console.width, _WIDEST))
    for one in choice.try_first:
        line = Text(f"{one.field}  ", "strong").append_text(foreign(one.make))
        console.print(Padding(line, (0, 0, 0, 4)), width=min(console.width, _WIDEST))
    console.print(f"\n  Then: [accent]deepfield commit {choice.ranking[0].field}[/]")
