"""The home screen: where the learner stands, in one look."""

from __future__ import annotations

import os
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.past_attempt import PastAttempt
from deepfield_cli.journey.status import RUNGS, FieldStatus, ProblemStatus, Status
from deepfield_cli.render.console import foreign
from deepfield_cli.render.moments import ago
from deepfield_cli.render.signs import dash, legend, pointer, sign

WIDEST = 100
_NARROW = 64
# Everything but fields and problems: head, columns, legend, last attempt, next step, blank lines, the next prompt.
_LINES_AROUND = 12


def show_status(console: Console, status: Status, *, now: datetime | None = None) -> None:
    """Print the home screen; where the terminal is low, only the field at hand shows its problems."""
    console.print(_head(console, status))
    console.print()
    shown = _unfolded(console, status)
    table = make_problem_table(console)
    for field in status.fields:
        table.add_row(*_field_cells(field))
        for problem in field.problems if field.name in shown else ():
            table.add_row(*_problem_cells(console, problem, status.current))
    console.print(table)
    states = {
        rung.state for field in status.fields if field.name in shown for one in field.problems for rung in one.rungs
    }
    console.print()
    console.print(Text("  ").append_text(legend(console, states)))
    console.print()
    for label, lines in _facts(console, status, now):
        _show_fact(console, label, lines)


def make_problem_table(console: Console) -> Table:
    """The columns in which problems stand: pointer, id, title, one for each rung, tries."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.width = min(console.width, WIDEST)
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for _ in RUNGS:
        table.add_column(width=6, justify="center")
    table.add_column(width=5, justify="right")
    table.add_row("", "", "", *[Text(rung, "quiet") for rung in RUNGS], Text("tries", "quiet"))
    return table


def home_relative(path: object) -> str:
    """A path as people write it, with their home folder as a tilde."""
    text, home = str(path), os.path.expanduser("~")
    return f"~{text[len(home) :]}" if home != "/" and (text == home or text.startswith(home + os.sep)) else text


def _head(console: Console, status: Status) -> Table:
    solved = sum(field.solved for field in status.fields)
    tally = f"{solved} of {len(status.problems)} problems solved"
    head = Table.grid(expand=True)
    head.width = min(console.width, WIDEST)
    head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    head.add_column(justify="right", no_wrap=True)
    place = Text("deepfield", "strong").append("  ").append_text(foreign(home_relative(status.root), "quiet"))
    head.add_row(place, Text(tally, "quiet"))
    return head


def _unfolded(console: Console, status: Status) -> set[str]:
    """The fields whose problems are shown: all where there is room, else the one at hand."""
    names = {field.name for field in status.fields}
    rows = len(names) + len(status.problems)
    if not console.is_terminal or rows + _LINES_AROUND <= console.height:
        return names
    here = status.current.partition("/")[0] if status.current else None
    return {here if here in names else next((field.name for field in status.fields), "")}


def _field_cells(field: FieldStatus) -> list[Text]:
    tallies = []
    for place in range(len(RUNGS)):
        rungs = [one.rungs[place] for one in field.problems if one.rungs[place].state != "absent"]
        tallies.append(f"{sum(rung.is_solved for rung in rungs)}/{len(rungs)}" if rungs else "")
    return [Text(), foreign(field.name, "strong"), Text(), *[Text(tally, "quiet") for tally in tallies], Text()]


def _problem_cells(console: Console, one: ProblemStatus, current: str | None) -> list[Text]:
    here = one.problem.id == current
    title = one.problem.title if console.width >= _NARROW else ""
    note = " (solution seen)" if one.gave_up else ""
    return [
        Text(pointer(console) if here else "", "accent"),
        foreign(one.problem.id, "accent" if here else ""),
        foreign(title, "quiet").append(note, "warn"),
        *[sign(console, rung.state) for rung in one.rungs],
        Text(str(one.attempts) if one.attempts else "", "quiet"),
    ]


def _facts(console: Console, status: Status, now: datetime | None) -> list[tuple[str, list[Text]]]:
    facts = []
    if status.last is not None:
        facts.append(("last", _last_lines(console, status.last, now)))
    if status.elsewhere:
        names = ", ".join(status.elsewhere[:3]) + (", …" if len(status.elsewhere) > 3 else "")
        facts.append(("also", [foreign(f"attempts at {names}, which no pack holds now", "quiet")]))
    step = status.next_step
    facts.append(("next", [foreign(step.command, "accent"), foreign(step.reason, "quiet")]))
    return facts


def _last_lines(console: Console, last: PastAttempt, now: datetime | None) -> list[Text]:
    verdict = Text("solved", "good") if last.solved else Text("not solved", "bad")
    score = "" if last.score is None or last.solved else f", {last.score:.0%}"
    line = foreign(f"{last.problem} {last.rung}  ").append_text(verdict).append(score)
    line.append(f" {dash(console)} {ago(last.at, now)} {dash(console)} attempt {last.number}", "quiet")
    lines = [line]
    if last.check is not None and not last.solved:
        failed = foreign(last.check)
        if last.diagnosis:
            failed.append("  ").append_text(foreign(last.diagnosis, "bad"))
        lines.append(failed)
    return lines


def _show_fact(console: Console, label: str, lines: list[Text]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=6)
    table.add_column(overflow="fold")
    for place, line in enumerate(lines):
        table.add_row(Text(f"  {label}" if place == 0 else "", "quiet"), line)
    console.print(table)
