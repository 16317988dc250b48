"""The list of all problems, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.status import ProblemStatus
from deepfield_cli.render.console import foreign
from deepfield_cli.render.signs import legend, sign

_WIDEST = 110
_NARROW = 64


def show_listing(console: Console, problems: Sequence[ProblemStatus]) -> None:
    """Print one line per problem: how far it is, how hard, which rungs, what it is."""
    for field, members in groupby(problems, key=lambda one: one.problem.field):
        console.print(foreign(field, "strong"))
        console.print(_table(console, list(members), problems))
        console.print()
    console.print(Text("  ").append_text(legend(console, {one.first_rung.state for one in problems})))
    console.print("  [quiet]more about one:[/] [accent]deepfield show ID[/]")


def _table(console: Console, members: Sequence[ProblemStatus], problems: Sequence[ProblemStatus]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.width = min(console.width, _WIDEST)
    table.add_column(width=3, justify="right")
    table.add_column(no_wrap=True, width=max(len(one.problem.id) for one in problems))
    table.add_column(no_wrap=True, width=9)
    table.add_column(no_wrap=True, width=max(len(_rungs(one)) for one in problems))
    if console.width >= _NARROW:
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for one in members:
        cells = [sign(console, one.first_rung.state), foreign(one.problem.id), Text(one.problem.difficulty, "quiet")]
        cells += [Text(_rungs(one), "quiet"), _words(one, problems)]
        table.add_row(*cells[: len(table.columns)])
    return table


def _rungs(one: ProblemStatus) -> str:
    return " ".join(one.problem.rungs)


def _words(one: ProblemStatus, problems: Sequence[ProblemStatus]) -> Text:
    """What it is, or what stands in the way."""
    if not one.problem.graded:
        return foreign(one.problem.title, "quiet")
    solved = {other.problem.id for other in problems if other.first_rung.is_solved}
    missing = [need for need in one.problem.needs if need not in solved]
    words = foreign(one.problem.title)
    return words.append_text(foreign(f"  after {', '.join(missing)}", "quiet")) if missing else words
