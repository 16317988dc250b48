"""What several commands share: arguments, completion, and the choice between people and programs as readers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deepfield_cli.errors import DeepfieldError


def complete_problem(incomplete: str) -> list[str]:
    """Problem ids for the shell's completion."""
    from deepfield_cli.content.packs import problem_ids

    return [name for name in problem_ids() if name.startswith(incomplete)]


ProblemArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[PROBLEM]",
        help="Problem id, e.g. llm/bpe. Default: the problem of this folder, else the last started.",
        autocompletion=complete_problem,
    ),
]
RungOption = Annotated[str, typer.Option("--rung", help="core, laptop or paper.")]
SvgOption = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Also write the curves into an SVG file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def parse_rung(text: str) -> Any:
    """The rung of this name; raise DeepfieldError with the near miss."""
    from deepfield_cli.content.problem import RUNGS
    from deepfield_cli.errors import near_miss

    if text not in RUNGS:
        raise DeepfieldError(f'--rung: unknown rung "{text}"', fix=near_miss(text, RUNGS) or "core, laptop or paper")
    return text


def parse_data(pairs: list[str]) -> dict[str, Path]:
    """``NAME=PATH`` options as a mapping."""
    found = {}
    for pair in pairs:
        name, separator, path = pair.partition("=")
        if not separator or not name or not path:
            raise DeepfieldError(f'--data: "{pair}" is not NAME=PATH', fix="for example --data corpus=~/corpus.txt")
        found[name] = Path(path).expanduser()
    return found


def print_json(document: Any) -> None:
    """One JSON document on standard output, readable by programs whatever the terminal."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()
