"""How a drill looks: the question, the verdict, and the answer worked out line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.drilling import Reply
from deepfield_cli.practice.quantity import in_words
from deepfield_cli.practice.question import Question
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document

_WIDEST = 90


def show_question(console: Console, question: Question, number: int, total: int) -> None:
    """Print a question."""
    console.print()
    console.print(Text(f"{number} of {total}", "strong").append(f"  {question.field}", "quiet"))
    console.print(Padding(Text(question.text), (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def show_answer(console: Console, reply: Reply) -> None:
    """Print the verdict and how the answer comes about."""
    question = reply.question
    console.print(_verdict(reply))
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in question.steps:
        line = Text(f"{step.working} = ").append(step.result, "strong")
        table.add_row(Text(f"  {step.label}", "accent"), line.append(f"   {step.why}", "quiet"))
    console.print(table, width=min(console.width, _WIDEST + 20))


def show_round(console: Console, replies: Sequence[Reply], *, recorded: bool) -> None:
    """Print how the round went."""
    if not replies:
        return
    right = sum(reply.is_right for reply in replies)
    console.print()
    line = Text(f"{right} of {len(replies)} within a factor of two", "good" if 2 * right > len(replies) else "warn")
    missed = dict.fromkeys(reply.question.concept for reply in replies if not reply.is_right)
    if missed:
        line.append_text(foreign(f"   to look at again: deepfield show {next(iter(missed))}", "quiet"))
    console.print(line)
    if not recorded:
        console.print(Text("Not recorded: there is no workspace here. deepfield init makes one.", "quiet"))


def round_document(questions: Sequence[Question], seed: int) -> dict[str, Any]:
    """A round as JSON, answers and all."""
    shown = [{**as_document(question), "answer_in_words": question.answer_in_words} for question in questions]
    return {"schema_version": SCHEMA_VERSION, "drill": "envelope", "seed": seed, "questions": shown}


def _verdict(reply: Reply) -> Text:
    answer = reply.question.answer_in_words
    if reply.value is None:
        return Text("  passed", "warn").append(f"  the answer is {answer}", "")
    if reply.is_right:
        return Text("  right", "good").append(f"  {answer}", "strong").append_text(_distance(reply))
    return (
        Text("  not within a factor of two", "bad")
        .append(f"  the answer is {answer}", "")
        .append_text(_distance(reply))
    )


def _distance(reply: Reply) -> Text:
    ratio = (reply.value or 0.0) / reply.question.answer
    if 0.95 < ratio < 1.05:
        return Text("  spot on", "quiet")
    way, factor = ("too much", ratio) if ratio > 1 else ("too little", 1 / ratio)
    return Text(f"  {in_words(factor, 2)} times {way}", "quiet")
