"""The learner's and the program's belongings on the disk: workspace, record, packs, cache, datasets."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.kept import cache_folder
from deepfield_cli.content.packs import Pack, packs
from deepfield_cli.datasets.disk import content_bytes, readable_bytes
from deepfield_cli.datasets.place import data_folder
from deepfield_cli.errors import ContentError, DeepfieldError, LedgerError
from deepfield_cli.journey.finding import Finding
from deepfield_cli.journey.workspace import Workspace, find_workspace
from deepfield_cli.ledger import Ledger

# Beyond this the proof of the whole record takes longer than one waits for a doctor.
_PROVED_AT_ONCE = 5_000


def examine_belongings() -> list[Finding]:
    """Where things are, and whether they can be read and written."""
    workspace = find_workspace()
    return [*_workspace(workspace), *_packs(), _cache(), _data()]


def _workspace(workspace: Workspace | None) -> list[Finding]:
    if workspace is None or not workspace.private.is_dir():
        where = str(workspace.root) if workspace else f"none around {Path.cwd()}"
        return [Finding("workspace", "folder", "absent", where, "deepfield start llm/attention makes one")]
    if not _is_writable(workspace.private):
        return [
            Finding("workspace", "folder", "bad", str(workspace.root), "it cannot be written: check its permissions"),
            _record(workspace),
        ]
    return [Finding("workspace", "folder", "ok", str(workspace.root)), _record(workspace)]


def _record(workspace: Workspace) -> Finding:
    if not workspace.has_record():
        return Finding("workspace", "record", "absent", "nothing recorded yet", "the first grade begins it")
    try:
        with workspace.record() as ledger:
            return _ledger_finding(ledger)
    except LedgerError as error:
        return Finding("workspace", "record", "bad", error.what, error.fix)


def _ledger_finding(ledger: Ledger) -> Finding:
    from deepfield_cli.ledger.schema import MIGRATIONS

    entries = ledger.count()
    about = f"format {MIGRATIONS[-1].number}, {entries:,} entries, {ledger.count('attempt'):,} of them attempts"
    if entries > _PROVED_AT_ONCE:
        return Finding("workspace", "record", "ok", about, "deepfield verify proves that it is as it was written")
    if not ledger.verify().ok:
        return Finding("workspace", "record", "bad", f"{about}, not as it was written", "deepfield verify says where")
    return Finding("workspace", "record", "ok", f"{about}, as it was written")


def _packs() -> list[Finding]:
    try:
        found = packs()
    except ContentError as error:
        return [Finding("content", "packs", "bad", error.what, f"{error.where}: {error.fix}")]
    return [_pack(pack) for pack in found]


def _pack(pack: Pack) -> Finding:
    ids = pack.problem_ids()
    for name in ids:
        try:
            pack.location(name).load()
        except DeepfieldError as error:
            return Finding("content", f"pack {pack.name}", "bad", str(error), "correct the file")
    if not ids:
        return Finding(
            "content", f"pack {pack.name}", "warn", f"no problems in {pack.root}", "is this the right folder?"
        )
    return Finding("content", f"pack {pack.name}", "ok", f"{len(ids)} problems in {pack.root}")


def _cache() -> Finding:
    folder = cache_folder()
    try:
        read_catalogue()
    except DeepfieldError as error:
        return Finding("content", "cache", "bad", str(error), "correct the file")
    if _is_writable(folder):
        return Finding("content", "cache", "ok", str(folder))
    advice = "it cannot be written: status takes longer; DEEPFIELD_CACHE names another folder"
    return Finding("content", "cache", "warn", str(folder), advice)


def _data() -> Finding:
    """The datasets, whose folder is made by the first of them."""
    folder = data_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not _is_writable(there):
        advice = "nothing can be fetched: DEEPFIELD_DATA names another folder"
        return Finding("content", "data", "warn", f"{folder} cannot be written", advice)
    free = f"{readable_bytes(shutil.disk_usage(there).free)} free"
    if there != folder:
        return Finding("content", "data", "absent", f"nothing in {folder} yet, {free}", "deepfield data list")
    return Finding("content", "data", "ok", f"{folder}: {_size(folder)} in it, {free}")


def _size(folder: Path) -> str:
    try:
        return readable_bytes(content_bytes(folder))
    except OSError:  # it changes just now: a dataset is being fetched, or removed
        return "an unknown amount"


def _is_writable(folder: Path) -> bool:
    """Found out by writing: permissions alone do not tell of read-only file systems."""
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".deepfield-")
        os.close(handle)
        os.unlink(name)
    except OSError:
        return False
    return True
