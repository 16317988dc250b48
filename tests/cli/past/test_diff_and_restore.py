"""``diff`` and ``restore``: what changed between attempts, and getting an earlier one back without losing this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import NEVER_DIVIDES, RIGHT, Ask, Attempt


def test_the_last_two_are_compared_by_default(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"}, files={"mean.py": b"def mean(values):\n    return sum(values)\n"})
    attempt(files={"mean.py": b"def mean(values):\n    return sum(values) / len(values)\n"})

    answer = ask("diff")

    assert answer.code == 0
    assert "attempt 2, core: 75%" in answer.out
    assert "attempt 3, core: 100%" in answer.out
    assert "mean_matches  failed -> passed" in answer.out
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert "--- mean.py" in lines
    assert "-    return sum(values)" in lines
    assert "+    return sum(values) / len(values)" in lines


def test_one_attempt_is_compared_with_the_files_of_now(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": RIGHT.encode()})
    (workspace.folder("tiny/mean") / "mean.py").write_text(RIGHT + "# later\n")
    (workspace.folder("tiny/mean") / "notes.txt").write_text("mine\n")

    answer = ask("diff", "2")

    assert "your files as they are now" in answer.out
    assert "+# later" in answer.out
    assert "+mine" in answer.out


def test_two_numbers_in_any_order_of_time(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": b"1\n"})
    attempt(files={"mean.py": b"2\n"})

    assert "+1" in ask("diff", "3", "2").out
    assert "+2" in ask("diff", "2", "3").out


def test_files_that_came_went_or_are_no_text(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": b"1\n", "gone.py": b"x\n", "table.bin": b"\x00\x01"})
    attempt(files={"mean.py": b"1\n", "new.py": b"y\n", "table.bin": b"\x00\x01\x02"})

    lines = [line.rstrip() for line in ask("diff").out.splitlines()]

    assert lines.index("+++ /dev/null") == lines.index("--- gone.py") + 1
    assert lines.index("--- /dev/null") == lines.index("+++ new.py") - 1
    assert "not text: 2 -> 3 bytes" in lines
    assert not any("mean.py" in line for line in lines)


def test_equal_files_are_said_to_be_equal(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()
    attempt()

    assert "The files are the same." in ask("diff").out


def test_a_missing_newline_at_the_end_is_a_change(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": b"1"})
    attempt(files={"mean.py": b"1\n"})

    assert "(no newline at the end)" in ask("diff").out


def test_control_characters_of_a_file_do_not_reach_the_terminal(
    workspace: Workspace, attempt: Attempt, ask: Ask
) -> None:
    attempt(files={"mean.py": b"1\n"})
    attempt(files={"mean.py": b"# \x1b[31mred\x07 [bold]\xe2\x80\xae\n"})

    printed = ask("diff").out

    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert "\\x1b[31mred\\x07 [bold]\\u202e" in printed


@pytest.mark.parametrize("columns", [80, 200])
def test_lines_of_files_are_never_wrapped(workspace: Workspace, attempt: Attempt, ask: Ask, columns: int) -> None:
    long_line = "x = " + "1 + " * 60 + "1"
    attempt(files={"mean.py": b"1\n"})
    attempt(files={"mean.py": long_line.encode()})

    assert f"+{long_line}" in ask("diff", width=columns).out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["diff"], "there are not yet two attempts at tiny/mean"),
        (["diff", "99"], "no entry 99"),
        (["diff", "1"], "entry 1 is a start, not an attempt"),
        (["diff", "0"], "0"),
        (["restore", "99"], "no entry 99"),
        (["restore", "1"], "entry 1 is a start, not an attempt"),
        (["restore"], "N"),
    ],
)
def test_what_is_not_there_is_one_clear_line(
    workspace: Workspace, ask: Ask, arguments: list[str], complaint: str
) -> None:
    answer = ask(*arguments)

    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""


def test_attempts_at_two_problems_are_not_compared(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()
    attempt(problem="tiny/square")

    answer = ask("diff", "2", "3")

    assert answer.code == 2
    assert "compare two attempts at one problem" in answer.err


def test_restore_lays_files_beside_and_touches_nothing(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt(files={"mean.py": NEVER_DIVIDES.encode(), "parts/sums.py": b"# deeper\n"})
    mine = workspace.folder("tiny/mean") / "mean.py"
    before = mine.read_bytes()

    answer = ask("restore", "2")

    beside = workspace.root / "tiny" / "mean.attempt-2"
    assert answer.code == 0
    assert str(Path("tiny") / "mean.attempt-2") in answer.out
    assert (beside / "mean.py").read_text() == NEVER_DIVIDES
    assert (beside / "parts" / "sums.py").read_text() == "# deeper\n"
    assert mine.read_bytes() == before


def test_restoring_twice_overwrites_nothing_either(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()
    ask("restore", "2")
    changed = workspace.root / "tiny" / "mean.attempt-2" / "mean.py"
    changed.write_text("# mine now\n")

    ask("restore", "2")

    assert changed.read_text() == "# mine now\n"
    assert (workspace.root / "tiny" / "mean.attempt-2-2" / "mean.py").read_text() == RIGHT
