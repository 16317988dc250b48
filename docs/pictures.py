"""Draws the README's picture: a real grade of a wrong submission, exported by rich as SVG.

python docs/pictures.py
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from deepfield_cli.content.packs import find_location
from deepfield_cli.grading.grade import GradeRequest, grade
from deepfield_cli.render.console import THEME
from deepfield_cli.render.verdict import show_checks, show_verdict
from deepfield_cli.sandbox.pool import WarmPool

WIDTH = 92
PICTURE = Path(__file__).parent / "images" / "grade.svg"
# One seed, so that the picture changes only when what it shows does.
SEED = 20


def main() -> None:
    """Grade, draw, write."""
    location = find_location("llm/attention")
    with WarmPool() as pool:
        result = grade(GradeRequest(location, location.grader / "wrong" / "missing_scale.py", seed=SEED), pool).result
    console = Console(file=io.StringIO(), record=True, width=WIDTH, theme=THEME, highlight=False, force_terminal=True)
    console.print("[strong]$ deepfield grade llm/attention[/]\n")
    show_checks(console, result.checks)
    show_verdict(console, result, folder="llm/attention")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(console.export_svg(title="deepfield"), encoding="utf-8")


if __name__ == "__main__":
    main()
