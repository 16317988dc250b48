"""The folder of a repro script: what was written into it is noted, so that nothing of the learner's is taken away."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

# Left out of account: Python makes it when the script imports what lies beside it.
_CACHE = "__pycache__"
_NOTE = ".written.json"


def note_written(folder: Path) -> None:
    """Keep the digests of all that is there now; raise OSError."""
    (folder / _NOTE).write_text(json.dumps(_digests(folder), indent=1) + "\n", encoding="utf-8")


def remove_if_untouched(folder: Path) -> bool:
    """Remove a folder that holds what was written into it and nothing else; return whether it was removed."""
    try:
        if not folder.is_dir() or _digests(folder) != json.loads((folder / _NOTE).read_text(encoding="utf-8")):
            return False
        shutil.rmtree(folder)
    except (OSError, ValueError):  # not ours, or not to be removed: it may as well stay
        return False
    return True


def _digests(folder: Path) -> dict[str, str]:
    """Name to digest of every file; a folder or a link has its kind in place of one, and so is never what we wrote."""
    return {path.name: _digest(path) for path in folder.iterdir() if path.name not in (_CACHE, _NOTE)}


def _digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return "no file"
    return hashlib.sha256(path.read_bytes()).hexdigest()
