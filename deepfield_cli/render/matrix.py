"""The kill matrix and what else the author's judge found, for 80 columns or more, with or without colour."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from deepfield_cli.render.console import foreign
from deepfield_cli.render.signs import can_show_signs

if TYPE_CHECKING:
    from deepfield_cli.authoring.report import CheckReport, Finding, ProblemReport, WrongRow

# Columns are named by one sign each, so that forty checks fit beside a file name in 80 columns.
_COLUMNS = string.ascii_lowercase + string.ascii_uppercase + string.digits
_SHORTEST_NAME = 16
_LONGEST_NAME = 44
_SIGNS = {"named": "●", "failed": "○", "errored": "!", "passed": "·", "skipped": "·", "wrong": "✗"}
_PLAIN_SIGNS = {"named": "@", "failed": "o", "errored": "!", "passed": ".", "skipped": ".", "wrong": "x"}
_STYLES = {"named": "good", "failed": "warn", "errored": "bad", "passed": "quiet", "skipped": "quiet"}


def show_check(console: Console, report: CheckReport) -> None:
    """Print the matrix and the summary line of each problem, the total, and at the end all that is not green."""
    for problem in report.problems:
        for line in _problem(problem, console):
            console.print(line, soft_wrap=True)
    console.print(_total(report), soft_wrap=True)
    for problem in report.problems:
        if not problem.green:
            console.print(foreign(f"\n{problem.problem}, not green:", "bad"), soft_wrap=True)
        for finding in problem.findings:
            console.print(_finding(finding), soft_wrap=True)


def _problem(problem: ProblemReport, console: Console) -> Iterator[Text]:
    """The matrix of one problem with its legend, and one line that sums it up."""
    signs = _SIGNS if can_show_signs(console) else _PLAIN_SIGNS
    yield foreign(problem.problem, "strong")
    if problem.wrongs:
        yield from _legend(problem, console.width)
        yield from _matrix(problem, console.width, signs)
    yield _summary(problem)
    yield Text()


def _legend(problem: ProblemReport, width: int) -> Iterator[Text]:
    """Which sign stands for which check, in as many columns as fit."""
    entries = [f"{sign} {name}" for sign, name in zip(_COLUMNS, problem.checks, strict=False)]
    cell = max(map(len, entries)) + 3
    per_line = max((width - 2) // cell, 1)
    for start in range(0, len(entries), per_line):
        line = "".join(entry.ljust(cell) for entry in entries[start : start + per_line])
        yield Text(f"  {line}".rstrip(), "quiet")


def _matrix(problem: ProblemReport, width: int, signs: dict[str, str]) -> Iterator[Text]:
    count = min(len(problem.checks), len(_COLUMNS))
    widest = max(len(row.name) for row in problem.wrongs)
    gap = " " if 2 + _SHORTEST_NAME + 1 + 2 * count <= width else ""
    name_width = max(min(widest, _LONGEST_NAME, width - 3 - count * (1 + len(gap))), 4)
    room = width - 3 - name_width - count * (1 + len(gap)) - 1
    yield Text("  " + " " * name_width + " " + gap.join(_COLUMNS[:count]), "strong")
    for row in problem.wrongs:
        yield _row(row, problem.checks[:count], name_width, gap, room, signs)


def _row(row: WrongRow, checks: Iterable[str], name_width: int, gap: str, room: int, signs: dict[str, str]) -> Text:
    line = Text("  ") if row.killed else Text(f"{signs['wrong']} ", "bad")
    line.append_text(foreign(_cut(row.name.removesuffix(".py"), name_width).ljust(name_width) + " "))
    for check in checks:
        outcome: str = row.outcomes.get(check, "skipped")
        kind = "named" if check == row.check and outcome == "failed" else outcome
        line.append(signs[kind] + gap, _STYLES[kind])
    diagnosis = row.diagnosis or "no name"
    line.append(diagnosis if len(diagnosis) <= room else "", "quiet")
    line.rstrip()
    return line


def _summary(problem: ProblemReport) -> Text:
    solved = sum(row.solved for row in problem.solutions)
    runs = sum(row.runs for row in problem.solutions)
    facts = [
        f"{problem.killed} of {len(problem.wrongs)} wrong submissions killed as they say",
        f"{solved} of {runs} runs of {len(problem.solutions)} solutions solved",
        f"{problem.strange_answers} strange answers",
        f"{problem.seconds:.1f} s",
    ]
    verdict = "green" if problem.green else f"{len(problem.findings)} not green"
    line = foreign(f"{problem.problem}: ")
    line.append(verdict, "good" if problem.green else "bad")
    return line.append("; " + ", ".join(facts))


def _total(report: CheckReport) -> Text:
    green = sum(problem.green for problem in report.problems)
    wrongs = sum(len(problem.wrongs) for problem in report.problems)
    killed = sum(problem.killed for problem in report.problems)
    text = f"{green} of {len(report.problems)} problems green, {killed} of {wrongs} wrong submissions killed"
    return Text(f"{text}, {report.seconds:.1f} s", "good" if report.green else "bad")


def _finding(finding: Finding) -> Text:
    line = (
        Text("  ").append_text(foreign(_from_here(finding.where), "strong")).append_text(foreign(f": {finding.what}"))
    )
    return line.append_text(foreign(f" — {finding.fix}" if finding.fix else "", "quiet"))


def _from_here(path: str) -> str:
    """A path relative to the current folder, if it lies in it: shorter, and a terminal still opens it."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))


def _cut(text: str, width: int) -> str:
    """A name with its middle left out: beginnings and ends tell names apart."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}~{text[len(text) - (width - 1 - head) :]}"
