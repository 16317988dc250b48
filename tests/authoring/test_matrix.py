"""The kill matrix fits its terminal, says everything without colour, and without anything but ASCII."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from deepfield_cli.authoring.mutation_report import MutantRow, MutationReport
from deepfield_cli.authoring.report import CheckReport, Finding, ProblemReport, SolutionRow, WrongRow
from deepfield_cli.grading.result import Outcome
from deepfield_cli.render.console import make_console
from deepfield_cli.render.matrix import show_check
from deepfield_cli.render.mutants import show_mutation


def printed(report: CheckReport | MutationReport, width: int, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = make_console(stream, width=width)
    if isinstance(report, CheckReport):
        show_check(console, report)
    else:
        show_mutation(console, report)
    stream.flush()
    stream.seek(0)
    return stream.read()


def an_outcome(after_the_first_failure: int) -> Outcome:
    if after_the_first_failure < 0:
        return "passed"
    return "failed" if after_the_first_failure < 2 else "skipped"


def a_row(name: str, checks: tuple[str, ...], first: int, *, killed: bool = True) -> WrongRow:
    outcomes = {check: an_outcome(index - first) for index, check in enumerate(checks)}
    return WrongRow(name=name, check=checks[first], diagnosis="a-known-mistake", outcomes=outcomes, killed=killed)


def a_report(checks: int, *findings: Finding) -> CheckReport:
    names = tuple(f"check_number_{index}" for index in range(checks))
    rows = [a_row(f"mistake_{index}.py", names, index % checks) for index in range(20)]
    rows.append(
        a_row("a_mistake_with_a_name_that_is_longer_than_any_terminal_would_like_it.py", names, 0, killed=False)
    )
    problem = ProblemReport(
        problem="llm/example",
        pack="deepfield",
        checks=names,
        wrongs=tuple(rows),
        solutions=(SolutionRow(name="one.py", runs=50, solved=50), SolutionRow(name="two.py", runs=50, solved=49)),
        strange_answers=87,
        findings=findings,
        seconds=1.5,
    )
    return CheckReport(problems=(problem,), seconds=1.5)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("checks", [1, 3, 18, 40])
def test_the_matrix_fits(width: int, checks: int) -> None:
    lines = printed(a_report(checks), width).splitlines()
    matrix = lines[: next(index for index, line in enumerate(lines) if line.startswith("llm/example: "))]
    assert len(matrix) > 22
    assert max(map(len, matrix)) <= width


def test_rows_say_what_is_named_what_fails_too_and_what_passes() -> None:
    lines = printed(a_report(3), 80).splitlines()
    assert lines[:6] == [
        "llm/example",
        "  a check_number_0   b check_number_1   c check_number_2",
        "                                               a b c",
        "  mistake_0                                    ● ○ · a-known-mistake",
        "  mistake_1                                    · ● ○ a-known-mistake",
        "  mistake_2                                    · · ● a-known-mistake",
    ]
    assert lines[23] == "✗ a_mistake_with_a_name~terminal_would_like_it ● ○ · a-known-mistake"
    assert lines[24] == (
        "llm/example: green; 20 of 21 wrong submissions killed as they say, 99 of 100 runs of 2 solutions solved, "
        "87 strange answers, 1.5 s"
    )
    assert lines[26] == "1 of 1 problems green, 20 of 21 wrong submissions killed, 1.5 s"


def test_no_escape_sequence_without_a_terminal() -> None:
    assert "\x1b" not in printed(a_report(3, Finding(where="a", what="b")), 80)


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    text = printed(a_report(3), 80, "ascii")
    assert "  mistake_0                                    @ o . a-known-mistake" in text
    assert "\nx a_mistake" in text


def test_findings_are_listed_whole_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = "a sentence that is much longer than a line of the terminal, and is still printed on one line, to be copied"
    finding = Finding(where=f"{tmp_path}/graders/suite.py:3", what=long, fix="mend \x1b[31mit")
    lines = printed(a_report(3, finding), 80).splitlines()
    assert lines[-2:] == ["llm/example, not green:", f"  graders/suite.py:3: {long} — mend \\x1b[31mit"]
    assert "0 of 1 problems green, 20 of 21 wrong submissions killed, 1.5 s" in lines


def a_mutant(fate: str, reason: str | None = None) -> MutantRow:
    values = {"mutant": "0123456789 3:5 operator a + b→a - b", "solution": "one.py", "function": "f"}
    values |= {"before": "y = a + b", "after": "y = a - b", "fate": fate}
    return MutantRow.model_validate({**values, "by": "matches", "how": "sign-flipped", "reason": reason})


def a_mutation(*rows: MutantRow) -> MutationReport:
    return MutationReport(problem="llm/example", solution="one.py", possible=9, mutants=rows, stale=(), seconds=2.0)


def test_survivors_are_shown_as_diffs_with_what_to_paste() -> None:
    text = printed(a_mutation(a_mutant("killed"), a_mutant("survived", "No difference."), a_mutant("survived")), 80)
    assert "one.py 0123456789 3:5 operator a + b→a - b\n  in f\n  - y = a + b\n  + y = a - b\n  not explained\n" in text
    assert "  explained: No difference.\n" in text
    assert '- mutant: "0123456789 3:5 operator a + b→a - b"\n  solution: "one.py"\n  reason: ""\n' in text
    assert text.endswith("llm/example one.py: 3 of 9 mutants, 1 killed, 2 survived (1 explained), 2.0 s\n")


def test_nothing_to_paste_where_all_is_explained() -> None:
    text = printed(a_mutation(a_mutant("killed"), a_mutant("survived", "No difference.")), 80)
    assert "reason:" not in text


def test_a_mutant_that_breaks_the_suite_is_told() -> None:
    text = printed(a_mutation(a_mutant("broke the suite")), 80)
    assert "  matches breaks: sign-flipped\n" in text
    assert "1 broke the suite" in text
