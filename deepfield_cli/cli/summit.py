"""``confirm``: evidence from outside, and the work of the summit measured again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, parse_data, print_json
from deepfield_cli.errors import DeepfieldError

_NOT_CONFIRMED = 1
app = typer.Typer(
    no_args_is_help=True, help="Evidence that others give, or that is measured from your own artefacts: the summit."
)
DataOption = Annotated[
    list[str] | None, typer.Option("--data", metavar="NAME=PATH", help="A file or folder that claims.yaml asks for.")
]
_PULL_REQUEST_FILE, _POST_FILE = "pull_request.yaml", "post.md"


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="confirm")


@app.command()
def pr(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]", help="The pull request. Default: what summit/merged-pr/pull_request.yaml says."
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Your account on GitHub. Default: the last one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask GitHub whether a pull request is merged, yours, in a flagship project, and more than a typo."""
    from deepfield_cli.content.road import open_roadmap
    from deepfield_cli.journey.confirming import MERGED, last_account, record_pull_request
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render import summit as shown
    from deepfield_cli.render.console import make_console
    from deepfield_cli.summit.github import GitHub
    from deepfield_cli.summit.handed_in import read_handed_in
    from deepfield_cli.summit.merged import examine
    from deepfield_cli.summit.pull_request import parse_address

    workspace = require_workspace()
    if url is None:
        handed = read_handed_in(workspace.folder("summit/merged-pr") / _PULL_REQUEST_FILE)
        url, account = handed.url, account or handed.account
    account = account or last_account(workspace, MERGED)
    if account is None:
        raise DeepfieldError("--account is missing", fix="name your account on GitHub")
    flagships = [one.repository for one in open_roadmap().charter.flagships]
    github = GitHub()
    found = examine(github, parse_address(url), account, flagships)
    confirmation = record_pull_request(workspace, found, github.answers) if found.holds else None
    if as_json:
        print_json(shown.confirmation_document(confirmation, found))
    else:
        shown.show_examined(make_console(), found)
        if confirmation is not None:
            shown.show_confirmation(make_console(), confirmation, "GitHub")
            make_console().print("Next: [accent]deepfield attest review-defence[/], that you defended it in review")
    raise typer.Exit(0 if confirmation is not None else _NOT_CONFIRMED)


@app.command()
def codeforces(
    handle: Annotated[
        str | None, typer.Argument(metavar="[HANDLE]", help="Your handle. Default: the last one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask Codeforces for the highest rating that you ever reached."""
    from deepfield_cli.journey.confirming import RATED, last_account, record_rating
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render import summit as shown
    from deepfield_cli.render.console import make_console
    from deepfield_cli.summit.codeforces import Codeforces, fetch_rating

    workspace = require_workspace()
    handle = handle or last_account(workspace, RATED)
    if handle is None:
        raise DeepfieldError("whose rating?", fix="deepfield confirm codeforces HANDLE")
    service = Codeforces()
    rating = fetch_rating(service, handle)
    confirmation = record_rating(workspace, rating, service.answers)
    if as_json:
        return print_json(shown.confirmation_document(confirmation, rating))
    shown.show_rating(make_console(), rating)
    shown.show_confirmation(make_console(), confirmation, "Codeforces")
    return None


@app.command()
def reproduction(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where claims.yaml is. Default: summit/reproduction.")
    ] = None,
    data: DataOption = None,
    release: Annotated[
        list[Path] | None,
        typer.Option("--release", metavar="FILE", help="Weights that the paper's authors released; repeatable."),
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option("--python", metavar="FILE", help="The interpreter that claims.yaml's python stands for."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Replay the run with this seed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a reproduction again in clean copies, with artefacts as they are and disturbed, and compare."""
    from deepfield_cli.journey.confirming import record_reproduction
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render import summit as shown
    from deepfield_cli.render.console import make_console
    from deepfield_cli.summit.reproduction import ReproductionRequest, grade_reproduction

    workspace = require_workspace()
    place = (folder or workspace.folder("summit/reproduction")).expanduser()
    interpreter = python.expanduser().absolute() if python else None
    if interpreter is not None and not interpreter.is_file():
        raise DeepfieldError("no such file", where=f"--python {python}", fix="point at an interpreter")
    request = ReproductionRequest(place, parse_data(data or []), tuple(release or ()), interpreter, seed)
    with _Progress() as tell:
        found = grade_reproduction(request, tell)
    record_reproduction(workspace, found)
    if as_json:
        print_json(shown.reproduction_document(found))
    else:
        console, where = make_console(), workspace.shown(place)
        for result in filter(None, (found.core, found.paper)):
            shown.show_result(console, result, where)
        shown.show_claims(console, found)
    solved = found.core.solved and found.paper is not None and found.paper.solved
    raise typer.Exit(0 if solved else _NOT_CONFIRMED)


@app.command()
def blog(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The post, in Markdown. Default: summit/blog/post.md.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1.0, help="How long all its code may take.")] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Run a post's code in order, compare its output, and look up what it points at."""
    from deepfield_cli.journey.confirming import record_result
    from deepfield_cli.journey.workspace import require_workspace
    from deepfield_cli.render import summit as shown
    from deepfield_cli.render.console import make_console
    from deepfield_cli.summit.blog import BlogRequest, grade_blog

    workspace = require_workspace()
    path = (file or workspace.folder("summit/blog") / _POST_FILE).expanduser()
    with _Progress() as tell:
        found = grade_blog(BlogRequest(path, seconds), tell)
    failed = any(check.outcome == "failed" for check in found.result.checks)
    if failed or not found.offline:  # without a network there is no verdict on the links, and none to record
        record_result(workspace, found.result, found.files)
    if as_json:
        print_json(found.result.model_dump(mode="json"))
    else:
        shown.show_result(make_console(), found.result, workspace.shown(path))
        if found.result.solved:
            make_console().print(
                "Next: [accent]deepfield attest blog-quality --link URL[/], for what no program can judge"
            )
    if found.offline and not failed:
        raise DeepfieldError(
            "no network: the links were not asked for, and nothing is recorded", fix="run it again online"
        )
    raise typer.Exit(_NOT_CONFIRMED if failed else 0)


# `deepfield grade summit/...` is answered by the same commands.
_GRADED: dict[str, Callable[..., None]] = {
    "summit/merged-pr": lambda data, as_json: pr(as_json=as_json),
    "summit/reproduction": lambda data, as_json: reproduction(data=data, as_json=as_json),
    "summit/blog": lambda data, as_json: blog(as_json=as_json),
}


def summit_at_hand(problem: str | None) -> str | None:
    """The problem of the summit that is named, or whose folder this is; None for any other."""
    if problem is not None:
        name = problem.strip("/")
        return name if name in _GRADED else None
    from deepfield_cli.journey.workspace import find_workspace, planned_at

    if "summit" not in Path.cwd().parts:  # every other grade asks no further
        return None
    workspace = find_workspace()
    here = planned_at(workspace, Path.cwd()) if workspace is not None else None
    return here if here in _GRADED else None


def grade_summit(problem: str, *, data: list[str] | None, as_json: bool) -> None:
    """Grade a problem of the summit by its own command, which chooses the exit code."""
    _GRADED[problem](data=data, as_json=as_json)


class _Progress:
    """One moving line on standard error, on a terminal alone: which check is under way."""

    def __enter__(self) -> Callable[[str], None]:
        from deepfield_cli.render.console import make_error_console

        console = make_error_console()
        self._status = console.status("") if console.is_terminal else None
        if self._status is not None:
            self._status.start()
        return lambda name: self._status.update(name) if self._status is not None else None

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
