"""``plan``: the road laid out over the weeks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json
from deepfield_cli.errors import DeepfieldError

FieldsOption = Annotated[
    list[str] | None, typer.Option("--field", metavar="FIELD", help="Only this field; repeatable, in this order.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(plan)


def plan(
    hours_per_week: Annotated[
        float | None, typer.Option("--hours-per-week", metavar="HOURS", help="Make a plan of so many hours a week.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="DATE", help="Its first day.", show_default="today")
    ] = None,
    fields: FieldsOption = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", metavar="FILE", help="Also write it as a calendar; - for standard output.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The road over your weeks: with --hours-per-week a new plan, without it the one that you made."""
    from deepfield_cli.content.catalogue import read_catalogue
    from deepfield_cli.journey.clock import parse_day, today
    from deepfield_cli.journey.plan import make_plan, open_plan
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.plan import plan_document, show_plan

    workspace = require_workspace()
    if hours_per_week is not None:
        make_plan(workspace, hours_per_week, parse_day(start, "--start") if start else today(), fields or ())
    elif start is not None or fields:
        raise DeepfieldError("--start and --field belong to a new plan", fix="add --hours-per-week, e.g. 8")
    found, pace = open_plan(workspace)
    if ics is not None:
        _write_calendar(ics)
        if str(ics) == "-":
            return None
    if as_json:
        return print_json(plan_document(found, pace))
    titles = {problem.id: problem.title for problem in read_catalogue().problems}
    show_plan(make_console(), found, pace, titles)
    return None


def _write_calendar(path: Path) -> None:
    import sys

    from deepfield_cli.journey.plan_calendar import plan_calendar
    from deepfield_cli.journey.workspace import require_workspace

    content = plan_calendar(require_workspace())
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        path.expanduser().write_bytes(content)
    except OSError as error:
        raise DeepfieldError(f"cannot write: {error.strerror}", where=str(path), fix="choose another file") from error
