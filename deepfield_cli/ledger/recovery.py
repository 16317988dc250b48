"""Setting a damaged ledger aside, whole, when and only when the user asks for a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from deepfield_cli.ledger.errors import LedgerReadOnly

COMPANIONS = ("-wal", "-shm")
"""What SQLite keeps beside the file. A log left behind would be folded into the new ledger."""


def set_aside(path: Path) -> Path:
    """Rename the file and its companions to `progress.db.corrupt-<time>`; returns the new path."""
    aside = _free_name(path)
    try:
        # The companions first: if we are stopped between the two, the damaged file is still in its place.
        for ending in COMPANIONS:
            companion = path.with_name(path.name + ending)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + ending))
        path.rename(aside)
    except OSError as error:
        raise LedgerReadOnly(
            f"the damaged ledger cannot be set aside ({error.strerror})",
            where=str(path),
            fix="check who owns the folder, and its permissions",
        ) from error
    return aside


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name, number = f"{path.name}.corrupt-{stamp}", 1
    while path.with_name(name).exists():
        number += 1
        name = f"{path.name}.corrupt-{stamp}-{number}"
    return path.with_name(name)
