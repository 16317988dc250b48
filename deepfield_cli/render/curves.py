"""The curves of several attempts in the terminal, each chart with its legend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from deepfield_cli.journey.curves import Chart, Line
from deepfield_cli.render.console import foreign
from deepfield_cli.render.moments import ago
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document
from deepfield_cli.render.plot import Series, legend, number, plot

_ROWS, _WIDEST, _INDENT = 11, 100, 2


def show_charts(console: Console, charts: Sequence[Chart], *, now: datetime | None = None) -> None:
    """Print each chart."""
    for index, chart in enumerate(charts):
        if index:
            console.print()
        console.print(foreign(title(chart), "strong"))
        series = [Series(line_name(line, ago(line.at, now)), line.points) for line in chart.lines]
        width = min(console.width, _WIDEST) - _INDENT
        for line in (*plot(console, series, width=width, height=_ROWS), *legend(console, series)):
            console.print(Text(" " * _INDENT).append_text(line), no_wrap=True, overflow="crop")
        if chart.left_out:
            console.print(f"{' ' * _INDENT}and {chart.left_out} older ones", style="quiet")


def show_no_charts(console: Console) -> None:
    """There is nothing to draw."""
    console.print("No curves yet: a laptop or paper rung that trains keeps one with each attempt.", style="quiet")


def charts_document(charts: Sequence[Chart]) -> dict[str, Any]:
    """The charts as JSON."""
    return {"schema_version": SCHEMA_VERSION, "charts": as_document(list(charts))}


def title(chart: Chart) -> str:
    """What a chart shows."""
    return f"{chart.name} of {chart.check}, {chart.problem} {chart.rung}"


def line_name(line: Line, when: str) -> str:
    """Which attempt a line is, and where it ended."""
    outcome = "solved" if line.solved else "not solved"
    return f"attempt {line.number}, {when}, {outcome}: {number(line.points[-1][1])} at the end"
