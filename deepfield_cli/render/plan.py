"""The plan: each stage with its weeks, and the problems one after the other."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.plan_pace import Pace, Plan
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document

_WIDEST = 100


def show_plan(console: Console, plan: Plan, pace: Pace, titles: dict[str, str]) -> None:
    """Print the plan, stage by stage."""
    weeks = (plan.ends - plan.start).days / 7
    console.print(
        Text(f"{plan.hours_per_week:g} hours a week", "strong").append(
            f"  {plan.start} to {plan.ends}, {weeks:.0f} weeks", "quiet"
        )
    )
    for field, members in groupby(plan.steps, key=lambda step: step.problem.partition("/")[0]):
        steps = list(members)
        console.print()
        console.print(Text(f"  {field}", "strong").append(f"  {steps[0].start} to {steps[-1].end}", "quiet"))
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for width in (24, 10, 10, 6):
            table.add_column(no_wrap=True, width=width, justify="right" if width == 6 else "left")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in steps:
            here = pace.due is not None and step.problem == pace.due.problem
            table.add_row(
                foreign(step.problem, "accent" if here else ""),
                str(step.start),
                Text(str(step.end), "quiet"),
                Text(f"{step.hours:.0f} h", "quiet"),
                foreign(titles.get(step.problem, ""), "quiet"),
            )
        console.print(Padding(table, (0, 0, 0, 4)), width=min(console.width, _WIDEST))


def plan_document(plan: Plan, pace: Pace) -> dict[str, Any]:
    """The plan as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        **as_document(plan),
        "ends": plan.ends.isoformat(),
        "pace": as_document(pace),
    }
