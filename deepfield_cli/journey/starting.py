"""Starting a problem: the starter laid out in the workspace, and never a file of the learner's overwritten."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.passing_over import is_passed_over

BRIEF = "README.md"


@dataclass(frozen=True)
class StartReport:
    """What ``start`` found and did.

    Attributes:
        folder: the problem's folder in the workspace.
        created: files that were laid out.
        kept: files that were there and stayed as they are.
        beside: updated starter files, laid beside a kept one.

    """

    folder: Path
    created: tuple[str, ...]
    kept: tuple[str, ...]
    beside: tuple[str, ...]


def start_problem(workspace: Workspace, location: ProblemLocation) -> StartReport:
    """Lay out brief and starter; what exists is kept, and a starter that has changed since arrives beside it."""
    folder = workspace.folder(location.id)
    offered = _offered_files(location)
    earlier = _offered_before(workspace, location.id)
    created, kept, beside = [], [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in offered.items():
            path = folder / name
            if not path.exists():
                _write(path, content)
                created.append(name)
            elif path.read_bytes() == content:
                kept.append(name)
            else:
                kept.append(name)
                if name in earlier and earlier[name] != content:
                    beside.append(_write_beside(path, content))
    except OSError as error:
        raise WorkspaceError(
            f"cannot lay out the problem: {error.strerror}",
            where=str(error.filename or folder),
            fix="check permissions",
        ) from error
    with workspace.ledger() as ledger:
        payload = {"created": created, "kept": kept, "beside": beside}
        ledger.append("start", payload, problem=location.id, files=offered, at=now())
    return StartReport(folder, tuple(created), tuple(kept), tuple(beside))


def reset_problem(workspace: Workspace, location: ProblemLocation) -> Path | None:
    """Move the learner's folder aside and lay out a fresh one; return where the old work is now."""
    folder = workspace.folder(location.id)
    aside = None
    if folder.exists():
        stamp = now().strftime("%Y%m%d-%H%M%S")
        aside = _free_name(workspace.private / "aside" / location.id / stamp)
        try:
            aside.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder, aside)
        except OSError as error:
            raise WorkspaceError(
                f"cannot move the old work aside: {error.strerror}", where=str(folder), fix="check permissions"
            ) from error
    start_problem(workspace, location)
    with workspace.ledger() as ledger:
        ledger.append("reset", {"aside": str(aside) if aside else None}, problem=location.id, at=now())
    return aside


def _offered_files(location: ProblemLocation) -> dict[str, bytes]:
    starter = location.starter
    files = {path.relative_to(starter).as_posix(): path.read_bytes() for path in _files(starter)}
    if location.brief.is_file():
        files[BRIEF] = location.brief.read_bytes()
    return files


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(map(is_passed_over, path.relative_to(folder).parts))
    )


def _offered_before(workspace: Workspace, problem_id: str) -> dict[str, bytes]:
    """The starter as it was when the problem was last started; empty if it never was."""
    if not workspace.has_record():
        return {}
    with workspace.record() as ledger:
        entries = ledger.entries(kind="start", problem=problem_id, limit=1)
        return ledger.files(entries[0]) if entries else {}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_beside(path: Path, content: bytes) -> str:
    beside = _free_name(path.with_name(f"{path.stem}.new{path.suffix}"))
    _write(beside, content)
    return beside.name


def _free_name(path: Path) -> Path:
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
