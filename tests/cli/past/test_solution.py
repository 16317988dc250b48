"""``solution``: for who has solved it, or has given up and says so on the record."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from deepfield_cli.journey.solution import Solution
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.console import THEME
from deepfield_cli.render.solution import show_solution
from tests.cli.past.conftest import Ask, Attempt
from tests.conftest import TINY_PACK, RunCli

SHIPPED = (TINY_PACK / "graders/tiny/mean/solutions/loop.py").read_text(encoding="utf-8")


def test_before_it_is_solved_there_is_nothing_to_see(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})

    answer = ask("solution")

    assert answer.code == 2
    assert answer.out == ""
    assert "shown once its core rung is solved" in answer.err
    assert _given_up(workspace) == 0


def test_after_that_it_is_the_first_one_as_it_is(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()

    answer = ask("solution", "tiny/mean")

    assert answer.code == 0
    assert answer.out == SHIPPED
    assert _given_up(workspace) == 0


def test_giving_up_is_recorded_once(workspace: Workspace, ask: Ask) -> None:
    first = ask("solution", "--give-up", "--yes")
    again = ask("solution")

    assert first.out == SHIPPED
    assert again.out == SHIPPED
    assert _given_up(workspace) == 1


def test_giving_up_after_solving_is_not_giving_up(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()

    assert ask("solution", "--give-up").out == SHIPPED
    assert _given_up(workspace) == 0


@pytest.mark.parametrize(("reply", "code"), [("n\n", 2), ("", 130)])
def test_who_is_not_sure_sees_nothing(workspace: Workspace, run_cli: RunCli, reply: str, code: int) -> None:
    answer = run_cli("solution", "--give-up", cwd=workspace.root, standard_input=reply)

    assert answer.returncode == code
    assert answer.stdout == ""
    assert _given_up(workspace) == 0


def test_who_is_sure_may_say_so_by_hand(workspace: Workspace, run_cli: RunCli) -> None:
    answer = run_cli("solution", "--give-up", cwd=workspace.root, standard_input="y\n")

    assert answer.returncode == 0
    assert answer.stdout == SHIPPED
    assert _given_up(workspace) == 1


def _given_up(workspace: Workspace) -> int:
    with workspace.record() as ledger:
        return ledger.count("give-up")


def test_in_a_terminal_it_has_colours_and_no_line_is_cut() -> None:
    file = StringIO()
    console = Console(file=file, force_terminal=True, color_system="256", width=40, theme=THEME)
    long_line = "x = " + "1 + " * 40 + "1"

    show_solution(console, Solution("tiny/mean", {"mean.py": f"{long_line}\n"}, gave_up=True))

    printed = file.getvalue()
    assert "\x1b[" in printed
    assert long_line in re.sub(r"\x1b\[[\d;]*m", "", printed)
    assert "shown because you gave up" in printed
