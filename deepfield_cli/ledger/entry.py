"""One entry of the record, and the hash that ties it to the entry before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

GENESIS = "0" * 64
"""What the first entry has in place of the hash of an entry before it."""

HASHED_COLUMNS = (
    "id",
    "kind",
    "at",
    "problem",
    "rung",
    "solved",
    "score",
    "payload_digest",
    "files_digest",
    "previous",
)
COLUMNS = (*HASHED_COLUMNS, "hash")
SELECT_ENTRIES = f"SELECT {', '.join(COLUMNS)} FROM entries"

_OPTIONAL_TEXT = (str, type(None))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": int,
    "problem": _OPTIONAL_TEXT,
    "rung": _OPTIONAL_TEXT,
    "solved": (int, type(None)),
    "score": (float, type(None)),
    "files_digest": _OPTIONAL_TEXT,
}
"""What SQLite gives for a column; text where nothing is said."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: an attempt, a fault of the grader, a hint shown, a reset, and so on.

    A dataclass and no pydantic model, like the others of this room: `status` reads entries, and the import of pydantic
    alone would cost it a third of its time.
    """

    id: int
    """1 for the first entry, then without gaps."""
    kind: str
    """What happened: attempt, fault, hint, give-up, reset, ..."""
    at: str
    """When, as an ISO date and time in UTC with milliseconds."""
    problem: str | None
    """The problem's id, where there is one."""
    rung: str | None
    """The rung, where there is one."""
    solved: bool | None
    """For an attempt: whether it solved the problem at this rung."""
    score: float | None
    """For an attempt: its score; None if nothing was scored."""
    payload_digest: str
    """SHA-256 of the payload, a JSON document kept as a blob."""
    files_digest: str | None
    """SHA-256 of the manifest of the files kept with it."""
    previous: str
    """The hash of the entry before it; 64 zeros for the first."""
    hash: str
    """SHA-256 over every other column in canonical form."""


class Moment(NamedTuple):
    """When something of a kind happened: all that a streak needs to know of an entry."""

    kind: str
    at: str
    problem: str | None


def entry_from_row(row: Sequence[Any]) -> Entry:
    """Build an entry from a row of ``SELECT_ENTRIES``. Raises ValueError if a column has a type that we never write."""
    columns = dict(zip(COLUMNS, row, strict=True))
    for name, value in columns.items():
        if not isinstance(value, _TYPES.get(name, str)):
            raise ValueError(f"{name} is {value!r}")
    if columns["solved"] is not None:
        columns["solved"] = bool(columns["solved"])
    return Entry(**columns)


def chain_hash(columns: Mapping[str, object]) -> str:
    """SHA-256 of the columns as canonical JSON, `previous` among them.

    Columns that are null are left out, so that a later version can add a column without touching an old hash.
    Raises TypeError or ValueError for a value that no entry can hold (bytes, NaN).
    """
    present = {name: value for name, value in columns.items() if value is not None}
    canonical = json.dumps(present, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
