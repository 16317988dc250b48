"""From a proved parcel to a workspace for reading: history, verify and regrading work there; nothing is added to it."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.parcel.format import ParcelError
from deepfield_cli.journey.parcel.reading import Contents, Parcel
from deepfield_cli.journey.workspace import IMPORTED, Workspace
from deepfield_cli.ledger.restoring import restore_ledger


@dataclass(frozen=True, slots=True)
class Imported:
    """What was unpacked, and where; no workspace if it was only checked."""

    contents: Contents
    workspace: Workspace | None


def check_record(path: Path, head: str | None = None) -> Imported:
    """Prove a parcel from the file alone; nothing is written."""
    with Parcel(path) as parcel:
        return Imported(parcel.check(head), None)


def import_record(path: Path, folder: Path | None = None, head: str | None = None) -> Imported:
    """Prove a parcel, then make a workspace of it in a folder that does not exist yet.

    It appears whole or not at all.

    Raises:
        ParcelError: it does not hold together.
        WorkspaceError: the folder exists, or cannot be written.

    """
    with Parcel(path) as parcel:
        contents = parcel.check(head)
        target = (folder or Path(f"{path.stem}-record")).absolute()
        if target.exists() or target.is_symlink():
            raise WorkspaceError("there is such a folder already", where=str(target), fix="--as names another one")
        try:
            _unpack(parcel, contents, target)
        except OSError as error:
            fix = "--as names a folder that you may write to"
            raise WorkspaceError(f"cannot write: {error.strerror}", where=str(target), fix=fix) from error
    return Imported(contents, Workspace(target))


def _unpack(parcel: Parcel, contents: Contents, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-", suffix=".part"))
    try:
        part.chmod(0o755)
        workspace = Workspace(part)
        workspace.private.mkdir()
        (workspace.private / ".gitignore").write_text("*\n", encoding="utf-8")
        report = restore_ledger(workspace.database, parcel.entries(), parcel.contents())
        if not report.ok or report.head != contents.head:
            raise ParcelError("the file changed while it was read", where=str(contents.path), fix="import it again")
        note = {"from": contents.path.name, "head": contents.head}
        (workspace.private / IMPORTED).write_text(json.dumps(note) + "\n", encoding="utf-8")
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
