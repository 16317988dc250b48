"""The quiz at the terminal and from a file: every answer is kept, and an interrupted quiz goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deepfield_cli.content.quiz import Quiz
from deepfield_cli.errors import ContentError, DeepfieldError
from deepfield_cli.journey.deeds import read_deeds
from deepfield_cli.journey.enjoyment import record_enjoyment
from deepfield_cli.journey.quiz_sitting import finish, forget_open_answers, open_answers, read_answers, record_answer
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.choice import ask_questions
from deepfield_cli.render.console import make_console
from tests.conftest import RunCli
from tests.journey.conftest import Attempted


def typing(keys: Iterable[str]) -> Console:
    """A console at which somebody types these lines, and then leaves."""
    console = make_console(StringIO(), width=80)
    lines = iter(keys)

    def read(*arguments: object, **options: object) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    console.input = read  # type: ignore[method-assign]
    return console


def sit(workspace: Workspace, quiz: Quiz, keys: Iterable[str]) -> dict[str, str] | None:
    remember: Callable[[str, str], None] = lambda question, answer: record_answer(workspace, question, answer)  # noqa: E731
    return ask_questions(typing(keys), quiz, open_answers(workspace, quiz), remember)


def test_an_interrupted_quiz_goes_on_where_it_was(workspace: Workspace, quiz: Quiz) -> None:
    assert sit(workspace, quiz, ["1", "2"]) is None  # the line ends: they left
    first, second = quiz.questions[:2]
    kept = {first.id: first.answers[0].id, second.id: second.answers[1].id}
    assert open_answers(workspace, quiz) == kept
    rest = len(quiz.questions) - 2
    given = sit(workspace, quiz, ["1"] * rest)
    assert given is not None
    assert len(given) == len(quiz.questions)
    assert {name: given[name] for name in kept} == kept


def test_a_finished_quiz_leaves_nothing_open(workspace: Workspace, quiz: Quiz) -> None:
    sit(workspace, quiz, ["1", "q"])
    finish(workspace, quiz, open_answers(workspace, quiz))
    assert open_answers(workspace, quiz) == {}


def test_enter_skips_and_nonsense_is_asked_again(workspace: Workspace, quiz: Quiz) -> None:
    given = sit(workspace, quiz, ["", "9", "two", "2", *[""] * (len(quiz.questions) - 2)])
    second = quiz.questions[1]
    assert given == {second.id: second.answers[1].id}


def test_again_forgets_what_was_open(workspace: Workspace, quiz: Quiz) -> None:
    sit(workspace, quiz, ["1", "1", "q"])
    forget_open_answers(workspace)
    assert open_answers(workspace, quiz) == {}


def test_answers_that_the_quiz_no_longer_knows_are_left_out(workspace: Workspace, quiz: Quiz) -> None:
    record_answer(workspace, "friday-bug", "an-old-answer")
    record_answer(workspace, "an-old-question", "x")
    assert open_answers(workspace, quiz) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("friday-bugs: agent-forgets\n", 'did you mean "friday-bug"'),
        ("friday-bug: agent-forget\n", 'did you mean "agent-forgets"'),
        ("[1, 2]\n", "holds no answers"),
        ("", "holds no answers"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, quiz: Quiz, text: str, message: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=message):
        read_answers(path, quiz)


def test_no_answer_is_no_result(workspace: Workspace, quiz: Quiz) -> None:
    with pytest.raises(DeepfieldError, match="no question was answered"):
        finish(workspace, quiz, {})


def test_deeds_come_from_the_record(workspace: Workspace, attempted: Attempted) -> None:
    attempted("llm/attention", "2026-11-02T10:00", solved=False)
    attempted("llm/attention", "2026-11-02T10:30", solved=False)
    attempted("llm/attention", "2026-11-09T10:00", solved=True)  # a week's pause counts as one hour
    attempted("llm/attention", "2026-11-20T10:00", solved=True)  # after the first pass nothing counts
    record_enjoyment(workspace, "llm/attention", 4, "core")
    with workspace.ledger() as ledger:
        ledger.append("give-up", {}, problem="llm/bpe")
        ledger.append("give-up", {}, problem="llm/attention")  # solved since: forgiven
    deeds = read_deeds(workspace)["llm"]
    assert [(passed.problem, passed.rungs, passed.hours) for passed in deeds.passes] == [
        ("llm/attention", ("core",), 1.5)
    ]
    assert (deeds.ratings, deeds.given_up) == ({"llm/attention": 4}, ("llm/bpe",))
    assert read_deeds(workspace, since="2026-11-10")["llm"].passes == ()
    assert read_deeds(workspace)["rl"].is_empty


def test_the_command_with_a_file(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    questions = json.loads(run_cli("pick-field", "--json", cwd=workspace.root).stdout)["questions"]
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({one["id"]: next(iter(one["answers"])) for one in questions}), encoding="utf-8")
    shown = json.loads(run_cli("pick-field", "--answers", path, "--json", cwd=workspace.root).stdout)
    assert sorted(one["field"] for one in shown["ranking"]) == ["llm", "mlsys", "recsys", "rl", "vision"]
    assert shown["answered"] == shown["questions"] == len(questions)
    assert shown["sure"] in ("clear", "leaning", "open")
    text = run_cli("pick-field", "--answers", path, cwd=workspace.root).stdout
    assert f"deepfield commit {shown['ranking'][0]['field']}" in text
    assert "because" in text


def test_the_command_at_a_pipe_goes_on_too(workspace: Workspace, run_cli: RunCli) -> None:
    stopped = run_cli("pick-field", cwd=workspace.root, standard_input="1\n1\nq\n")
    assert (stopped.returncode, "goes on where you are" in stopped.stdout) == (0, True)
    finished = run_cli("pick-field", cwd=workspace.root, standard_input="1\n" * 20)
    assert "You have answered 2 of 15" in finished.stdout
    assert "The lead is" in finished.stdout
