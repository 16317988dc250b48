"""The shipped solution: in colours for people, as it is for programs."""

from __future__ import annotations

import sys

from rich.console import Console

from deepfield_cli.journey.solution import Solution
from deepfield_cli.render.console import foreign


def show_solution(console: Console, solution: Solution) -> None:
    """Print the solution; into a file or a pipe goes its text and nothing else."""
    if not console.is_terminal:
        sys.stdout.write("\n".join(solution.files.values()))
        return
    from rich.syntax import Syntax

    if solution.gave_up:
        console.print(foreign("shown because you gave up; the record says so", "warn"))
    colours = Syntax("", "python", theme="ansi_dark", background_color="default")
    for name, text in solution.files.items():
        console.print(foreign(f"# {name}", "strong"))
        console.print(colours.highlight(text), soft_wrap=True)  # whole lines: they may be copied
