"""Reviews: what was solved comes back by the scheduler's dates, and the record alone knows them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.cards import (
    AGAIN,
    CONCEPT,
    FIRST_DAYS,
    GOOD,
    HARD,
    REVIEW,
    due_cards,
    due_count,
    read_cards,
    read_deck,
)
from deepfield_cli.journey.clock import NOW_VARIABLE
from deepfield_cli.journey.drilling import Reply, questions_about, record_reply
from deepfield_cli.journey.reviewing import begin_review, concepts_of, give_up_review, is_untouched, read_agenda
from deepfield_cli.journey.scheduling import RATINGS, next_state, record_review
from deepfield_cli.journey.workspace import Workspace, create_workspace
from deepfield_cli.ledger import Ledger
from deepfield_cli.practice.envelope import draw_questions, drills
from tests.conftest import MakeWorkspace, RunCli

START = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
RIGHT = "def mean(values):\n    return sum(values) / len(values)\n\n\ndef center(x):\n    return x - x.sum() / x.size\n"
WRONG = "def mean(values):\n    return sum(values)\n\n\ndef center(x):\n    return x\n"
ratings = st.sampled_from([AGAIN, HARD, GOOD, 4])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made, _ = create_workspace(tmp_path / "ws")
    made.ledger().close()
    return made


def _solve(ledger: Ledger, problem: str = "llm/attention", at: datetime = START) -> None:
    ledger.append("attempt", {}, problem=problem, rung="core", solved=True, score=1.0, at=at)


# Dates


def test_the_first_dates_are_the_schedulers_own() -> None:
    for rating, days in FIRST_DAYS.items():
        assert datetime.fromisoformat(next_state(None, rating, START)["due"]) == START + timedelta(days=days)


def test_a_solved_problem_falls_due_without_any_review(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        assert due_count(ledger, START) is None
        _solve(ledger)
        assert due_count(ledger, START + timedelta(days=1, hours=23)) == 0
        assert due_count(ledger, START + timedelta(days=2)) == 1
        assert [card.id for card in due_cards(ledger, START + timedelta(days=2))] == ["llm/attention"]
        assert due_count(ledger, START + timedelta(days=2), known={"llm/bpe"}) is None


def test_a_problem_solved_with_hints_comes_sooner(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        ledger.append("hint", {"hint": 1}, problem="llm/attention", at=START - timedelta(hours=1))
        _solve(ledger)
        assert due_count(ledger, START + timedelta(days=1)) == 1


def test_solving_it_again_does_not_move_it(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        _solve(ledger)
        _solve(ledger, at=START + timedelta(days=1))
        assert due_count(ledger, START + timedelta(days=2)) == 1


def test_an_unsolved_problem_never_comes_back(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        ledger.append("attempt", {}, problem="llm/bpe", rung="core", solved=False, score=0.9, at=START)
        assert due_count(ledger, START + timedelta(days=900)) is None


def test_a_good_review_moves_it_further_than_a_hard_one_and_again_is_tomorrow(tmp_path: Path) -> None:
    at, waits = START + timedelta(days=2), []
    for rating in (AGAIN, HARD, GOOD, 4):
        made, _ = create_workspace(tmp_path / str(rating))
        with made.ledger() as ledger:
            _solve(ledger)
            record_review(ledger, "llm/attention", rating, "test", at)
            waits.append(datetime.fromisoformat(read_deck(ledger)["llm/attention"]) - at)
    assert waits[0] == timedelta(days=1)
    assert waits == sorted(waits) and waits[0] < waits[2] < waits[3]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=st.lists(st.tuples(st.sampled_from(["llm/attention", "concept:kv-cache", "concept:x"]), ratings,
                               st.integers(0, 40)), min_size=1, max_size=8))  # fmt: skip
def test_the_dates_in_the_newest_entry_are_those_of_a_replay(
    past: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a count reads in one look is what the scheduler gives for the whole past."""
    made, _ = create_workspace(tmp_path_factory.mktemp("replay"))
    moment = START
    with made.ledger() as ledger:
        _solve(ledger)
        states = {"llm/attention": next_state(None, GOOD, START)}
        for card, rating, days in past:
            moment += timedelta(days=days)
            record_review(ledger, card, rating, "test", moment)
            states[card] = next_state(states.get(card), rating, moment)
        reviewed = {card for card, _, _ in past}
        assert read_deck(ledger) == {card: states[card]["due"] for card in reviewed}
        late = moment + timedelta(days=30)
        due = sum(datetime.fromisoformat(state["due"]) <= late for state in states.values())
        assert due_count(ledger, late) == due
        assert ledger.verify().ok


def test_the_state_in_an_entry_is_plain_and_repeatable() -> None:
    first = next_state(None, GOOD, START)
    assert json.loads(json.dumps(first)) == first
    assert next_state(first, HARD, START + timedelta(days=5)) == next_state(first, HARD, START + timedelta(days=5))
    assert set(RATINGS.values()) == {"again", "hard", "good", "easy"}


def test_enrolling_keeps_the_dates_that_are_there(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        record_review(ledger, f"{CONCEPT}kv-cache", GOOD, "drill", START)
        before = read_deck(ledger)[f"{CONCEPT}kv-cache"]
        record_review(ledger, "llm/attention", GOOD, "test", START, enrol=["kv-cache", "self-attention"])
        deck = read_deck(ledger)
        assert deck[f"{CONCEPT}kv-cache"] == before
        assert datetime.fromisoformat(deck[f"{CONCEPT}self-attention"]) == START + timedelta(days=1)


def test_a_count_needs_neither_the_scheduler_nor_pydantic(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        _solve(ledger)
        record_review(ledger, f"{CONCEPT}kv-cache", GOOD, "drill", START)
    script = (
        "import sys, datetime\n"
        "from pathlib import Path\n"
        "from deepfield_cli.journey.cards import due_count\n"
        "from deepfield_cli.ledger import Ledger\n"
        "with Ledger.open(Path(sys.argv[1]), create=False, write=False) as ledger:\n"
        "    print(due_count(ledger, datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)))\n"
        "print([name for name in ('fsrs', 'pydantic', 'numpy', 'torch', 'yaml') if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(workspace.database)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[:2] == ["2", "[]"]


# Drills


def test_a_reply_is_kept_and_moves_its_concept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOW_VARIABLE, START.isoformat())
    question = draw_questions(1, 3)[0]
    record_reply(workspace, Reply(question, "1", question.answer), 3)
    record_reply(workspace, Reply(question, "", None), 3)
    with workspace.record() as ledger:
        kept = [ledger.payload(entry) for entry in ledger.entries("drill", newest_first=False)]
        moved = [ledger.payload(entry) for entry in ledger.entries(REVIEW, newest_first=False)]
    assert [(one["drill"], one["right"], one["question"]) for one in kept] == [
        ("envelope", True, question.id),
        ("envelope", False, question.id),
    ]
    assert [(one["card"], one["rating"]) for one in moved] == [
        (f"concept:{question.concept}", "good"),
        (f"concept:{question.concept}", "again"),
    ]


def test_concepts_are_asked_by_their_drills() -> None:
    concepts = sorted({drill.concept for drill in drills()})
    questions = questions_about([*concepts, "no-such-concept"], 5)
    assert [question.concept for question in questions] == concepts
    assert "self-attention" in concepts_of("llm/attention")
    assert concepts_of("tiny/mean") == []


# Problems


@pytest.mark.slow
def test_a_problem_comes_back_from_the_stub_and_is_graded(
    make_workspace: MakeWorkspace, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make_workspace("tiny/mean", RIGHT)
    with own.ledger() as ledger:
        _solve(ledger, "tiny/mean")
    monkeypatch.setenv(NOW_VARIABLE, (START + timedelta(days=3)).isoformat())
    agenda = json.loads(run_cli("review", "--json", cwd=own.root).stdout)
    assert [(card["kind"], card["id"]) for card in agenda["due"]] == [("problem", "tiny/mean")]

    told = run_cli("review", "tiny/mean", cwd=own.root)
    folder = own.root / "review" / "tiny" / "mean-2026-09-04"
    assert told.returncode == 0 and "Laid out" in told.stdout
    assert (folder / "mean.py").read_text() == (find_location("tiny/mean").starter / "mean.py").read_text()
    assert (own.folder("tiny/mean") / "mean.py").read_text() == RIGHT

    again = run_cli("review", "tiny/mean", cwd=own.root)
    assert again.returncode == 0 and "still the stub" in again.stdout

    (folder / "mean.py").write_text(WRONG)
    failed = run_cli("review", "tiny/mean", cwd=own.root)
    assert failed.returncode == 1 and "again" in failed.stdout and "tomorrow" in failed.stdout
    (folder / "mean.py").write_text(RIGHT)
    passed = run_cli("review", "tiny/mean", "--json", cwd=own.root)
    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["rating"] == "hard"
    with own.record() as ledger:
        assert ledger.count("attempt") == 1, "a review is no attempt"
        reviews = ledger.entries(REVIEW, "tiny/mean")
        assert [entry.solved for entry in reviews] == [True, False]
        assert ledger.files(reviews[0])["mean.py"] == RIGHT.encode()
        assert ledger.verify().ok
    assert read_agenda(own).due == ()

    fresh = run_cli("review", "tiny/mean", cwd=own.root)
    assert "mean-2026-09-04-2" in fresh.stdout, "a finished review is not begun again in its folder"
    (own.root / "review" / "tiny" / "mean-2026-09-04-2" / "mean.py").write_text(RIGHT)
    assert json.loads(run_cli("review", "tiny/mean", "--json", cwd=own.root).stdout)["rating"] == "good"


def test_giving_up_ends_it(make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOW_VARIABLE, START.isoformat())
    own, location = make_workspace("tiny/mean", RIGHT), find_location("tiny/mean")
    with pytest.raises(WorkspaceError, match="not solved yet"):
        begin_review(own, location)
    with own.ledger() as ledger:
        _solve(ledger, "tiny/mean", at=START - timedelta(days=9))
    first = begin_review(own, location)
    assert first.is_new and is_untouched(first, location)
    assert not begin_review(own, location).is_new
    came = give_up_review(own, first)
    assert (came.rating, came.due) == ("again", START + timedelta(days=1))
    assert begin_review(own, location).folder != first.folder


def test_a_hint_makes_it_hard(make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepfield_cli.journey.reviewing import _rate

    monkeypatch.setenv(NOW_VARIABLE, START.isoformat())
    own, location = make_workspace("tiny/mean", RIGHT), find_location("tiny/mean")
    with own.ledger() as ledger:
        _solve(ledger, "tiny/mean", at=START - timedelta(days=9))
        ledger.append("hint", {"hint": 1}, problem="tiny/mean", at=START - timedelta(days=10))
    review = begin_review(own, location)
    with own.ledger() as ledger:
        assert _rate(ledger, review, solved=True) == (GOOD, "solved at once")
        ledger.append("hint", {"hint": 2}, problem="tiny/mean", at=START + timedelta(hours=1))
        assert _rate(ledger, review, solved=True) == (HARD, "solved with a hint")
        assert _rate(ledger, review, solved=False) == (AGAIN, "failed")


def test_a_problem_that_no_pack_holds_is_passed_over(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        _solve(ledger, "gone/problem")
        assert [card.id for card in read_cards(ledger)] == ["gone/problem"]
    assert read_agenda(workspace).due == ()


# The command line


def test_a_round_on_the_command_line(workspace: Workspace, run_cli: RunCli) -> None:
    drawn = json.loads(run_cli("drill", "envelope", "--seed", "9", "-n", "3", "--json", cwd=workspace.root).stdout)
    answers = [question["answer_in_words"] for question in drawn["questions"]]
    replies = f"{answers[0]}\nrubbish\n1e-30 \n\nq\n"
    ran = run_cli("drill", "envelope", "--seed", "9", "-n", "3", cwd=workspace.root, standard_input=replies)
    assert ran.returncode == 0, ran.stderr
    assert "1 of 3 within a factor of two" in ran.stdout
    assert "for example" in ran.stdout, "what is no number is asked for again"
    for question in drawn["questions"]:
        assert question["text"][:40] in " ".join(ran.stdout.split())
    with workspace.record() as ledger:
        rights = [ledger.payload(entry)["right"] for entry in ledger.entries("drill", newest_first=False)]
    assert rights == [True, False, False]


def test_to_stop_is_no_wrong_answer(workspace: Workspace, run_cli: RunCli) -> None:
    for reply in ("q\n", ""):
        ran = run_cli("drill", "envelope", "-n", "3", cwd=workspace.root, standard_input=reply)
        assert ran.returncode == 0 and "within a factor of two   " not in ran.stdout
    with workspace.record() as ledger:
        assert ledger.count("drill") == 0


def test_without_a_workspace_nothing_is_kept(run_cli: RunCli, tmp_path: Path) -> None:
    ran = run_cli("drill", "envelope", "-n", "1", cwd=tmp_path, standard_input="12\n")
    assert ran.returncode == 0 and "Not recorded" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_field_that_is_none_is_named(run_cli: RunCli, tmp_path: Path) -> None:
    ran = run_cli("drill", "envelope", "--field", "lm", cwd=tmp_path)
    assert ran.returncode == 2 and "llm" in ran.stderr


def test_due_concepts_are_asked(workspace: Workspace, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    with workspace.ledger() as ledger:
        record_review(ledger, f"{CONCEPT}kv-cache", GOOD, "drill", START)
    monkeypatch.setenv(NOW_VARIABLE, (START + timedelta(days=1)).isoformat())
    assert "Nothing is due" in run_cli("review", cwd=workspace.root).stdout
    monkeypatch.setenv(NOW_VARIABLE, (START + timedelta(days=9)).isoformat())
    assert "deepfield review concepts" in run_cli("review", cwd=workspace.root).stdout
    ran = run_cli("review", "concepts", cwd=workspace.root, standard_input="\n")
    assert "0 of 1 within a factor of two" in ran.stdout
    assert "Nothing is due" in run_cli("review", cwd=workspace.root).stdout
