"""``hint``: one at a time, each on the record, and before it what the last attempt is known to have done wrong."""

from __future__ import annotations

import pytest

from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import Ask, Attempt

HINTS = ("Add them up.", "Divide by how many there are.", "sum(values) / len(values)")


def test_hints_come_in_order_and_then_end(workspace: Workspace, ask: Ask) -> None:
    for number, text in enumerate(HINTS, start=1):
        answer = ask("hint")
        assert answer.code == 0
        assert f"hint {number} of 3" in answer.out
        assert text in answer.out
        assert not any(other in answer.out for other in HINTS if other != text)

    after = ask("hint")

    assert after.code == 0
    assert "All 3 hints were shown" in after.out
    assert len(_recorded(workspace)) == 3


def test_each_says_how_many_are_left(workspace: Workspace, ask: Ask) -> None:
    assert "2 more" in ask("hint").out
    assert "1 more" in ask("hint").out
    assert "That was the last" in ask("hint").out


def test_a_hint_is_recorded_with_the_attempt_that_it_followed(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    ask("hint")
    tried = attempt({"mean_matches": "failed"})
    ask("hint")

    assert _recorded(workspace) == [{"hint": 1, "after_attempt": None}, {"hint": 2, "after_attempt": tried.id}]


def test_again_shows_what_was_shown_and_records_nothing(workspace: Workspace, ask: Ask) -> None:
    ask("hint")
    ask("hint")

    answer = ask("hint", "--again")

    assert HINTS[0] in answer.out
    assert HINTS[1] in answer.out
    assert HINTS[2] not in answer.out
    assert len(_recorded(workspace)) == 2


def test_again_before_the_first_shows_none(workspace: Workspace, ask: Ask) -> None:
    answer = ask("hint", "--again")

    assert answer.code == 0
    assert "No hint was shown yet" in answer.out
    assert _recorded(workspace) == []


def test_the_mistake_of_the_last_attempt_comes_first(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"}, diagnosis="sum-not-mean")

    printed = ask("hint").out

    assert "your last attempt (2): sum-not-mean" in printed
    assert "never divided by how many there are" in printed
    assert "Look at the last step before the return." in printed
    assert printed.index("sum-not-mean") < printed.index("hint 1 of 3")


@pytest.mark.parametrize("diagnosis", [None, "a-name-that-nobody-knows"])
def test_without_a_known_mistake_there_is_only_the_hint(
    workspace: Workspace, attempt: Attempt, ask: Ask, diagnosis: str | None
) -> None:
    attempt({"mean_matches": "failed"}, diagnosis=diagnosis)

    assert ask("hint").out.startswith("hint 1 of 3")


def test_a_solved_attempt_leaves_no_mistake_to_speak_of(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})
    attempt()

    assert "your last attempt" not in ask("hint").out


def test_hints_of_one_problem_do_not_count_for_another(workspace: Workspace, ask: Ask) -> None:
    ask("hint", "tiny/mean")

    assert "hint 1 of" in ask("hint", "tiny/square").out


def _recorded(workspace: Workspace) -> list[object]:
    with workspace.record() as ledger:
        entries = ledger.entries(kind="hint", problem="tiny/mean", newest_first=False)
        return [ledger.payload(entry) for entry in entries]
