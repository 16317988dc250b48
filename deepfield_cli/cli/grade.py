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
    from deepfield_cli.journey.session import Listener, Session, Wish
    from deepfield_cli.journey.sitting import Sitting
    from deepfield_cli.journey.workspace import Workspace
    from deepfield_cli.ledger import Entry

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
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run of this rung.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again and drop what was interrupted.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Grade a long rung in the background; deepfield attach shows it.")
    ] = False,
    detached: Annotated[Path | None, typer.Option("--detached", hidden=True)] = None,
) -> None:
    """Grade what you wrote. Exit code: 0 solved, 1 not solved, 2 cannot be graded, 3 a fault of the grader."""
    if every is None:
        from deepfield_cli.cli.summit import grade_summit, summit_at_hand

        if summit := summit_at_hand(problem):  # measured by a command of its own, not by a suite
            return grade_summit(summit, data=data, as_json=as_json)
    if resume and fresh:
        raise DeepfieldError("--resume goes on with a run, and --fresh drops it", fix="choose one of them")
    if every is not None and (resume or fresh or detach):
        raise DeepfieldError("--all has nothing to resume or to detach", fix="leave that option out")
    if every is not None:
        raise typer.Exit(_grade_folder(problem, every, parse_rung(rung), seed, jobs, full=as_json))
    from deepfield_cli.journey.session import Wish

    with _faults_as_document(as_json, problem, rung):
        wish = Wish(
            rung=parse_rung(rung),
            seed=seed,
            only=tuple(only or ()),
            data=parse_data(data or []),
            resume=resume,
            fresh=fresh,
        )
        if detach:
            from deepfield_cli.cli.detached import grade_detached

            return grade_detached(problem, wish, junit, as_json=as_json)
    raise typer.Exit(_grade(problem, wish, junit, as_json=as_json, log=detached))


def _grade(problem: str | None, wish: Wish, junit: Path | None, *, as_json: bool, log: Path | None) -> int:
    """Grade one problem; what is recorded and removed has been shown before."""
    from deepfield_cli.journey.session import Session
    from deepfield_cli.journey.workspace import choose_problem, require_workspace

    with ExitStack() as stack:
        with _faults_as_document(as_json, problem, wish.rung):
            workspace = require_workspace()
            session = stack.enter_context(Session(workspace, choose_problem(workspace, problem), wish))
            sitting = session.sit_down()
            if sitting is not None:
                stack.enter_context(sitting)
            listener = _announcing(log, sitting)
            if as_json:
                outcome = session.grade(listener, sitting=sitting)
            else:
                outcome = _grade_visibly(session, listener, sitting)
        if as_json:
            print_json(outcome.result.model_dump(mode="json"))
        try:
            if junit is not None:
                _write_junit(junit, outcome)
        finally:  # a report that cannot be written costs no attempt
            entry = _record(workspace, outcome)
            if sitting is not None:
                sitting.conclude(outcome.result, entry)
    if not as_json:
        _show_what_is_kept(sitting)
        _ask_enjoyment(workspace, outcome)
    return outcome.result.exit_code


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


def _announcing(log: Path | None, sitting: Sitting | None) -> Listener | None:
    """In a process that --detach has started: what tells the one that waits."""
    if log is None or sitting is None:
        return None
    from deepfield_cli.journey.detaching import announcing

    return announcing(log, sitting.folder)


def _grade_visibly(session: Session, listener: Listener | None, sitting: Sitting | None) -> Grade:
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.live import LiveChecks
    from deepfield_cli.render.verdict import show_verdict

    console = make_console()
    session.require_submission()
    with LiveChecks(console, session.location.id, session.wish.rung, _cost(sitting)) as live:
        shown = live.listener()
        outcome = session.grade(shown if listener is None else shown.also(listener), sitting=sitting)
    show_verdict(console, outcome.result, folder=session.workspace.shown(session.folder))
    return outcome


def _show_what_is_kept(sitting: Sitting | None) -> None:
    """Where the grader itself broke, no training is lost."""
    if sitting is not None and sitting.is_kept:
        from deepfield_cli.render.attach import show_kept
        from deepfield_cli.render.console import make_console

        show_kept(make_console(), sitting.resume_command)


def _cost(sitting: Sitting | None) -> str:
    if sitting is None:
        return ""
    from deepfield_cli.render.attach import cost

    return cost(sitting.left_seconds, sitting.budget_seconds)


def _record(workspace: Workspace, outcome: Grade) -> Entry | None:
    """Write the attempt and the repro files; the verdict has been shown, so a full disk costs the record alone."""
    from deepfield_cli.journey.attempts import record_grade
    from deepfield_cli.journey.repros import keep_repros

    keep_repros(workspace, outcome)
    try:
        return record_grade(workspace, outcome)
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
