"""``grade``: one problem of the workspace, or a folder of submissions to one problem."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepfield_cli.cli.shared import JsonOption, ProblemArgument, RungOption, parse_data, parse_rung, print_json
from deepfield_cli.errors import DeepfieldError

if TYPE_CHECKING:
    from deepfield_cli.grading.grade import Grade
    from deepfield_cli.journey.session import Session
    from deepfield_cli.journey.workspace import Workspace

SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Replay the run with this seed.")]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="CHECK", help="Run this check only; repeatable.")
]
DataOption = Annotated[
    list[str] | None, typer.Option("--data", metavar="NAME=PATH", help="A file that the rung needs.")
]

_FAULT = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(grade)


def grade(
    problem: ProblemArgument = None,
    rung: RungOption = "core",
    seed: SeedOption = None,
    only: OnlyOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")] = None,
    every: Annotated[
        Path | None, typer.Option("--all", metavar="FOLDER", help="Grade each submission in a folder.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="With --all: how many at a time.")] = os.cpu_count()
    or 1,
) -> None:
    """Grade what you wrote. Exit code: 0 solved, 1 not solved, 2 cannot be graded, 3 a fault of the grader."""
    if every is not None:
        raise typer.Exit(_grade_folder(problem, every, parse_rung(rung), seed, jobs, full=as_json))
    from deepfield_cli.journey.session import Session, Wish
    from deepfield_cli.journey.workspace import choose_problem, require_workspace

    with ExitStack() as stack:
        with _faults_as_document(as_json, problem, rung):
            wish = Wish(rung=parse_rung(rung), seed=seed, only=tuple(only or ()), data=parse_data(data or []))
            workspace = require_workspace()
            session = stack.enter_context(Session(workspace, choose_problem(workspace, problem), wish))
            outcome = session.grade() if as_json else _run_visibly(session)
        if as_json:
            print_json(outcome.result.model_dump(mode="json"))
        try:
            if junit is not None:
                _write_junit(junit, outcome)
        finally:  # a report that cannot be written costs no attempt
            _record(workspace, outcome)
    if not as_json:
        _ask_enjoyment(workspace, outcome)
    raise typer.Exit(outcome.result.exit_code)


@contextmanager
def _faults_as_document(as_json: bool, problem: str | None, rung: str) -> Iterator[None]:
    """Whoever asked for a document gets one, even if there could be no grade."""
    try:
        yield
    except DeepfieldError as error:
        if as_json:
            from deepfield_cli.grading.result import fault_document

            print_json(fault_document(problem, rung, str(error)))
        raise


def _run_visibly(session: Session) -> Grade:
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.live import LiveChecks
    from deepfield_cli.render.verdict import show_verdict

    console = make_console()
    session.require_submission()
    with LiveChecks(console, session.location.id, session.wish.rung) as live:
        outcome = session.grade(live.listener())
    show_verdict(console, outcome.result, folder=session.workspace.shown(session.folder))
    return outcome


def _record(workspace: Workspace, outcome: Grade) -> None:
    """Write the attempt and the repro files; the verdict has been shown, so a full disk costs the record alone."""
    from deepfield_cli.journey.attempts import record_grade
    from deepfield_cli.journey.repros import write_repros

    write_repros(workspace, outcome)
    try:
        record_grade(workspace, outcome)
    except DeepfieldError as error:
        raise DeepfieldError(f"this verdict could not be recorded: {error}") from error


def _ask_enjoyment(workspace: Workspace, outcome: Grade) -> None:
    """One key after a first pass, and only where somebody sits at the keyboard."""
    result = outcome.result
    if not result.solved or result.partial or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    from deepfield_cli.journey.enjoyment import is_rated, record_enjoyment
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.enjoyment import ask_enjoyment

    if not is_rated(workspace, result.problem, result.rung):
        rating = ask_enjoyment(make_console(), typer.getchar)
        if rating is not None:
            record_enjoyment(workspace, result.problem, rating, result.rung)


def _write_junit(path: Path, outcome: Grade) -> None:
    from deepfield_cli.grading.junit import junit_xml

    try:
        path.write_text(junit_xml(outcome.result), encoding="utf-8")
    except OSError as error:
        raise DeepfieldError(f"cannot write: {error.strerror}", where=str(path), fix="choose another file") from error


def _grade_folder(problem: str | None, folder: Path, rung: Any, seed: int | None, jobs: int, *, full: bool) -> int:
    """One JSON line per submission on standard output; how far it is on standard error."""
    from deepfield_cli.content.packs import find_location
    from deepfield_cli.grading.batch import grade_all, submissions_in
    from deepfield_cli.render.batch import batch_line, show_progress

    if problem is None:
        raise DeepfieldError("--all: which problem?", fix="name it: deepfield grade llm/attention --all FOLDER")
    location = find_location(problem)
    sources = submissions_in(folder)
    worst = 0
    for done, item in enumerate(grade_all(location, sources, jobs=jobs, rung=rung, seed=seed), start=1):
        sys.stdout.write(batch_line(item, full=full) + "\n")
        sys.stdout.flush()
        show_progress(done, len(sources), item)
        worst = max(worst, item.exit_code if item.exit_code == _FAULT else 0)
    return worst
