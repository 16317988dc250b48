"""``attach``: look at a long grade that runs on its own, or in another terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, complete_problem, parse_rung, print_json

if TYPE_CHECKING:
    from deepfield_cli.journey.run_note import Ending
    from deepfield_cli.journey.runs import RunFolder
    from deepfield_cli.journey.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(attach)


def attach(
    problem: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROBLEM]",
            help="Problem id. Default: whatever is under way.",
            autocompletion=complete_problem,
        ),
    ] = None,
    rung: Annotated[
        str | None, typer.Option("--rung", help="laptop or paper. Default: whichever is under way.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the grade as Ctrl-C would; --resume goes on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at a long grade as it goes; Ctrl-C leaves it running. At its end, its verdict and its exit code."""
    from deepfield_cli.journey import attaching
    from deepfield_cli.journey.workspace import require_workspace

    workspace = require_workspace()
    folder = attaching.find_run(workspace, problem, parse_rung(rung) if rung else None)
    if stop:
        return _stop(folder)
    is_over = not folder.is_under_way()
    ending = folder.ending() if is_over else _follow(folder, as_json=as_json)
    if ending is None:
        raise attaching.without_verdict(folder, attaching.note_of(folder))
    if as_json:
        print_json(attaching.result_of(workspace, ending))
    else:
        _show_verdict(workspace, folder, ending, is_over=is_over)
    raise typer.Exit(ending.exit_code)


def _follow(folder: RunFolder, *, as_json: bool) -> Ending | None:
    from deepfield_cli.content.packs import find_location
    from deepfield_cli.journey.attaching import follow, note_of
    from deepfield_cli.journey.sitting import Interrupted
    from deepfield_cli.render import attach as view
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.live import LiveChecks

    if as_json:
        return follow(folder, lambda event: None)
    note = note_of(folder)
    rung = find_location(note.problem).load().rungs.get(note.rung)
    most = view.cost(rung.seconds) if rung is not None else "its checks have changed since it began"
    try:
        with LiveChecks(make_console(), note.problem, note.rung, most) as live:
            return follow(folder, lambda event: view.show_event(live, event))
    except KeyboardInterrupt as error:
        raise Interrupted("the grade goes on", fix="deepfield attach shows it again, --stop ends it") from error


def _show_verdict(workspace: Workspace, folder: RunFolder, ending: Ending, *, is_over: bool) -> None:
    from deepfield_cli.grading.result import GradeResult
    from deepfield_cli.journey.attaching import result_of
    from deepfield_cli.journey.sitting import resume_command
    from deepfield_cli.render import attach as view
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.verdict import show_verdict

    console = make_console()
    if is_over:
        view.show_over(console, ending, folder.last_seen())
    result = GradeResult.model_validate(result_of(workspace, ending))
    show_verdict(console, result, folder=workspace.shown(workspace.folder(ending.problem)))
    if folder.has_training():
        view.show_kept(console, resume_command(ending.problem, ending.rung))


def _stop(folder: RunFolder) -> None:
    from deepfield_cli.journey.attaching import note_of, stop
    from deepfield_cli.journey.sitting import resume_command
    from deepfield_cli.render.attach import show_stopped
    from deepfield_cli.render.console import make_console

    note = note_of(folder)
    stop(folder)
    kept = resume_command(note.problem, note.rung) if folder.has_training() else None
    show_stopped(make_console(), note.problem, note.rung, kept)
