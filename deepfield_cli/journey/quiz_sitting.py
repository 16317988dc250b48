"""One sitting of the field quiz: each answer is on the record at once, so that an interrupted quiz goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepfield_cli.content.quiz import Quiz
from deepfield_cli.errors import ContentError, DeepfieldError, near_miss
from deepfield_cli.journey.clock import now, today
from deepfield_cli.journey.deeds import read_deeds
from deepfield_cli.journey.field_choice import Choice, choose_field
from deepfield_cli.journey.season import SEASON_REVIEW, last_season
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger

QUIZ, QUIZ_ANSWER = "quiz", "quiz-answer"


def open_answers(workspace: Workspace | None, quiz: Quiz) -> dict[str, str]:
    """The answers given since the last finished quiz; those that the quiz no longer knows are left out."""
    if workspace is None or not workspace.has_record():
        return {}
    with workspace.record() as ledger:
        return _open_answers(ledger, quiz)


def record_answer(workspace: Workspace, question: str, answer: str) -> None:
    """Put one answer on the record."""
    with workspace.ledger() as ledger:
        ledger.append(QUIZ_ANSWER, {"question": question, "answer": answer}, at=now())


def forget_open_answers(workspace: Workspace) -> None:
    """Begin again: what was answered so far belongs to a quiz that was abandoned."""
    with workspace.ledger() as ledger:
        ledger.append(QUIZ, {"abandoned": True}, at=now())


def read_answers(path: Path, quiz: Quiz) -> dict[str, str]:
    """Answers from a YAML or JSON file, question id to answer id; raise ContentError with the near miss."""
    from deepfield_cli.content.strict_yaml import load_yaml

    document = load_yaml(path)
    if isinstance(document, Mapping) and isinstance(document.get("answers"), Mapping):
        document = document["answers"]
    if not isinstance(document, Mapping) or not document:
        raise ContentError("the file holds no answers", where=str(path), fix="lines such as friday-bug: agent-forgets")
    known = [question.id for question in quiz.questions]
    for question, answer in document.items():
        if question not in known:
            hint = near_miss(str(question), known) or "deepfield pick-field --json lists the questions"
            raise ContentError(f'the quiz has no question "{question}"', where=str(path), fix=hint)
        quiz.question(question).answer(str(answer))
    return {str(question): str(answer) for question, answer in document.items()}


def finish(workspace: Workspace | None, quiz: Quiz, answers: Mapping[str, str], since: str = "") -> Choice:
    """Weigh the answers with the deeds since a moment, and record the result where there is a workspace."""
    if not answers:
        raise DeepfieldError("no question was answered", fix="deepfield pick-field asks them")
    choice = choose_field(quiz, answers, read_deeds(workspace, since))
    if workspace is not None and workspace.private.is_dir():
        _record(workspace, answers, choice, since)
    return choice


def _record(workspace: Workspace, answers: Mapping[str, str], choice: Choice, since: str) -> None:
    payload: dict[str, Any] = {
        "answers": dict(answers),
        "ranking": [{"field": one.field, "points": one.points, "evidence": one.evidence} for one in choice.ranking],
        "sure": choice.sure,
        "changes": [asdict(change) for change in choice.changes[:3]],
        "since": since or None,
    }
    with workspace.ledger() as ledger, ledger.batch():
        entry = ledger.append(QUIZ, payload, at=now())
        season = last_season(ledger)
        if season is not None and season.is_over(today()):
            review = {"season": season.number, "quiz": entry.id, "first": choice.ranking[0].field}
            ledger.append(SEASON_REVIEW, review, at=now())


def _open_answers(ledger: Ledger, quiz: Quiz) -> dict[str, str]:
    finished = ledger.entries(QUIZ, limit=1)
    last = finished[0].id if finished else 0
    answers: dict[str, str] = {}
    for entry in ledger.entries(QUIZ_ANSWER, newest_first=False):
        if entry.id > last:
            payload = ledger.payload(entry)
            answers[str(payload["question"])] = str(payload["answer"])
    valid = {question.id: {answer.id for answer in question.answers} for question in quiz.questions}
    return {question: answer for question, answer in answers.items() if answer in valid.get(question, ())}
