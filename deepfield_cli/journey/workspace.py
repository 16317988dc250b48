"""The workspace: the learner's folder, with one folder per problem and the record in ``.deepfield/``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.packs import ProblemLocation, find_location, problem_ids
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.ledger import Ledger

MARKER = ".deepfield"
# Stands in the private folder of a record that came from elsewhere: nothing is added to that one.
IMPORTED = "imported.json"
WORKSPACE_VARIABLE = "DEEPFIELD_WORKSPACE"


@dataclass(frozen=True)
class Workspace:
    """A folder that holds a ``.deepfield`` folder."""

    root: Path

    @property
    def private(self) -> Path:
        """The folder that deepfield writes to; hidden from workers."""
        return self.root / MARKER

    @property
    def database(self) -> Path:
        """The ledger's file."""
        return self.private / "progress.db"

    @property
    def repro(self) -> Path:
        """Where repro files go."""
        return self.private / "repro"

    def folder(self, problem_id: str) -> Path:
        """Where the learner's files of a problem stand."""
        return self.root / problem_id

    def ledger(self) -> Ledger:
        """The record, to be written."""
        if (self.private / IMPORTED).exists():
            raise WorkspaceError(
                "this record was imported: it is for reading",
                where=str(self.root),
                fix="work in a workspace of your own",
            )
        return Ledger.open(self.database)

    def has_record(self) -> bool:
        """Whether anything was ever recorded here."""
        return self.database.exists()

    def record(self) -> Ledger:
        """The record, to be read; created first if it was never there."""
        if not self.has_record():
            self.ledger().close()
        return Ledger.open(self.database, create=False, write=False)

    def shown(self, path: Path) -> str:
        """A path as the learner would type it from where they stand."""
        try:
            return os.path.relpath(path)
        except ValueError:
            return str(path)


def find_workspace(start: Path | None = None) -> Workspace | None:
    """The workspace around a folder: DEEPFIELD_WORKSPACE if it is set, else the nearest parent with ``.deepfield``."""
    named = os.environ.get(WORKSPACE_VARIABLE)
    if named:
        return Workspace(Path(named).expanduser().absolute())
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_dir():
            return Workspace(folder)
    return None


def require_workspace() -> Workspace:
    """The workspace around the current folder; raise WorkspaceError where there is none."""
    found = find_workspace()
    if found is None or not found.private.is_dir():
        where = str(found.root if found else Path.cwd())
        raise WorkspaceError("no workspace here", where=where, fix="deepfield start llm/attention makes one")
    return found


def create_workspace(root: Path) -> tuple[Workspace, bool]:
    """Make a folder a workspace; return it and whether it is new. Nothing that exists is changed."""
    workspace = Workspace(root.absolute())
    if workspace.private.is_dir():
        return workspace, False
    try:
        workspace.root.mkdir(parents=True, exist_ok=True)
        try:
            workspace.private.mkdir()
        except FileExistsError:  # another first command was a moment earlier, or something else is in the way
            if not workspace.private.is_dir():
                raise
            return workspace, False
        (workspace.private / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(
            f"cannot make a workspace: {error.strerror}", where=str(root), fix="choose a folder that you may write to"
        ) from error
    return workspace, True


def problem_at(workspace: Workspace, place: Path) -> ProblemLocation | None:
    """The problem whose folder this place is in."""
    candidate = _folder_of(workspace, place)
    return find_location(candidate) if candidate in problem_ids() else None


def planned_at(workspace: Workspace, place: Path) -> str | None:
    """The problem without a grader whose folder this place is in."""
    candidate = _folder_of(workspace, place)
    if candidate is None:
        return None
    from deepfield_cli.content.catalogue import read_catalogue

    listed = read_catalogue().find(candidate)
    return listed.id if listed is not None and not listed.pack else None


def _folder_of(workspace: Workspace, place: Path) -> str | None:
    """The first two folders that lead from the workspace to a place, as an id; links on the way make no difference."""
    try:
        parts = place.resolve().relative_to(workspace.root.resolve()).parts
    except ValueError:
        return None
    return "/".join(parts[:2]) if len(parts) >= 2 else None


def last_started(workspace: Workspace) -> str | None:
    """The problem that was last started here."""
    if not workspace.has_record():
        return None
    with workspace.record() as ledger:
        entries = ledger.entries(kind="start", limit=1)
    return entries[0].problem if entries else None


def choose_problem(workspace: Workspace, wanted: str | None) -> ProblemLocation:
    """The problem that a command is about: the one named, else the folder's, else the last started."""
    if wanted is not None:
        return find_location(_as_id(workspace, wanted))
    here = problem_at(workspace, Path.cwd())
    if here is not None:
        return here
    planned = planned_at(workspace, Path.cwd())
    if planned is not None:
        return find_location(planned)
    last = last_started(workspace)
    if last is None:
        raise WorkspaceError("which problem?", fix="name one, e.g. deepfield grade llm/attention, or start one")
    return find_location(last)


def _as_id(workspace: Workspace, wanted: str) -> str:
    """Accept a path to the problem's folder as well as its id."""
    path = Path(wanted)
    if path.is_dir():
        found = problem_at(workspace, path)
        if found is not None:
            return found.id
    return wanted.strip("/")
