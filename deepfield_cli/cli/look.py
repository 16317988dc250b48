"""``status``, ``list``, ``show``, ``hint`` and ``doctor``: looking, without touching the learner's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, ProblemArgument, SvgOption, complete_problem, print_json
from deepfield_cli.errors import DeepfieldError

if TYPE_CHECKING:
    from deepfield_cli.journey.curves import Chart

# Attempts whose curves stand on the page of a problem.
_CURVES = 3
FieldOption = Annotated[str | None, typer.Option("--field", metavar="FIELD", help="Only this field, e.g. llm.")]


ThingArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]",
        help="Id of a problem, or of anything else. Default: the problem of this folder, else the last started.",
        autocompletion=complete_problem,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command(name="list")(list_problems)
    app.command()(show)
    app.command()(hint)
    app.command()(doctor)


def status(
    everything: Annotated[bool, typer.Option("--all", help="The problems of every stage.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Where you are on the road: stages, season, pace, streak, and what to do next."""
    from deepfield_cli.journey.progress import read_status
    from deepfield_cli.journey.workspace import require_workspace

    found = read_status(require_workspace())
    if as_json:
        from deepfield_cli.render.document import status_document

        return print_json(status_document(found))
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.status import show_status

    show_status(make_console(), found, everything=everything)
    return None


def list_problems(field: FieldOption = None, as_json: JsonOption = False) -> None:
    """All problems, with what each asks and how far you are."""
    from deepfield_cli.journey.progress import read_problems
    from deepfield_cli.journey.workspace import find_workspace

    problems = read_problems(find_workspace(), field)
    if as_json:
        from deepfield_cli.render.document import listing_document

        return print_json(listing_document(problems))
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.listing import show_listing

    show_listing(make_console(), problems)
    return None


def show(thing: ThingArgument = None, svg: SvgOption = None, as_json: JsonOption = False) -> None:
    """Anything that has an id: a problem, stage, concept, resource, project, arena item, signal, person and so on.

    Of a problem also the curves that your attempts have kept.

    A word such as signals, arena, projects, people or blogs lists all of that kind.
    """
    from deepfield_cli.journey.page import by_id, has_page, open_page, planned_at_hand
    from deepfield_cli.render import page
    from deepfield_cli.render.console import make_console

    thing = by_id(thing or planned_at_hand())
    if thing is not None and not has_page(thing):
        if svg is not None:
            raise DeepfieldError("--svg draws the curves of a problem", fix="name a problem that is graded here")
        return _show_item(thing, as_json=as_json)
    found = open_page(thing)
    charts = _charts(found.problem.id, svg)
    if as_json:
        return print_json(page.page_document(found))
    console = make_console()
    page.show_page(console, found)
    if charts:
        from deepfield_cli.render.curves import show_charts

        console.print()
        show_charts(console, charts)
    return None


def _charts(problem: str, svg: Path | None) -> Sequence[Chart]:
    """The curves of the attempts at a problem; in a file too, if one is named."""
    from deepfield_cli.journey.curves import read_charts
    from deepfield_cli.journey.workspace import find_workspace

    workspace = find_workspace()
    charts = read_charts(workspace, problem, _CURVES) if workspace is not None and workspace.has_record() else ()
    if svg is not None:
        from deepfield_cli.render.chart_file import write_charts

        write_charts(svg, charts)
    return charts


def _show_item(thing: str, *, as_json: bool) -> None:
    from deepfield_cli.journey.item_page import open_item
    from deepfield_cli.journey.workspace import find_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.item import item_document, show_item

    found = open_item(thing, find_workspace())
    if as_json:
        return print_json(item_document(found))
    show_item(make_console(), found)
    return None


def hint(
    problem: ProblemArgument = None,
    again: Annotated[
        bool, typer.Option("--again", help="Show the hints that you have seen; nothing is recorded.")
    ] = False,
) -> None:
    """The next hint. Each is recorded; before it stands what your last attempt is known to have done wrong."""
    from deepfield_cli.journey.hints import next_hint, shown_hints
    from deepfield_cli.journey.workspace import choose_problem, require_workspace
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.hints import show_hints

    workspace = require_workspace()
    declared = choose_problem(workspace, problem).load()
    found = shown_hints(workspace, declared) if again else next_hint(workspace, declared)
    show_hints(make_console(), found, again=again)


def doctor(as_json: JsonOption = False) -> None:
    """Look over this machine and this workspace, and say what to do about what is wrong. Exit code 1 if anything is."""
    from deepfield_cli.journey.doctor import examine
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.doctor import diagnosis_document, show_diagnosis

    found = examine()
    if as_json:
        print_json(diagnosis_document(found))
    else:
        show_diagnosis(make_console(), found)
    raise typer.Exit(found.exit_code)
