"""An entry before it has its place in the chain: everything that can be prepared without holding up other writers."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import blobs
from deepfield_cli.ledger.entry import COLUMNS, GENESIS, Entry, chain_hash, entry_from_row
from deepfield_cli.ledger.manifest import encode_manifest


class Draft(NamedTuple):
    """The columns that do not depend on the entry before it, and the contents that go with them."""

    columns: dict[str, object]
    contents: list[bytes]


def write_draft(
    kind: str,
    payload: Mapping[str, Any],
    *,
    problem: str | None,
    rung: str | None,
    solved: bool | None,
    score: float | None,
    files: Mapping[str, bytes] | None,
    at: datetime | None,
) -> Draft:
    """Check and encode. Raises ValueError for what no entry can hold, LedgerError for a file that is too large."""
    if score is not None and not math.isfinite(score):
        raise ValueError(f"a score is a finite number, not {score}")
    if kind == "attempt" and (problem is None or rung is None or (solved is None) != (score is None)):
        raise ValueError("an attempt has a problem, a rung, and either both a verdict and a score or neither")
    contents = [_encode_payload(payload)]
    if files is not None:
        _refuse_large_files(files)
        contents += [encode_manifest(files), *files.values()]
    columns: dict[str, object] = {
        "kind": kind,
        "at": timestamp(at),
        "problem": problem,
        "rung": rung,
        "solved": None if solved is None else int(solved),
        # SQLite does not keep the sign of zero; adding zero drops it before it is hashed.
        "score": None if score is None else float(score) + 0.0,
        "payload_digest": blobs.digest_of(contents[0]),
        "files_digest": None if files is None else blobs.digest_of(contents[1]),
    }
    return Draft(columns, contents)


def insert(connection: sqlite3.Connection, columns: Mapping[str, object]) -> Entry:
    """Give the entry its place behind the last one; call it inside a transaction that holds the write lock."""
    last = connection.execute("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = last or (0, GENESIS)
    complete = {**columns, "id": number + 1, "previous": previous}
    complete["hash"] = chain_hash(complete)
    row = [complete[name] for name in COLUMNS]
    places = ", ".join("?" * len(COLUMNS))
    connection.execute(f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES ({places})", row)
    return entry_from_row(row)


def _encode_payload(payload: Mapping[str, Any]) -> bytes:
    """JSON as Python writes it, NaN included: an attempt must not be lost because a metric is not a number."""
    content = json.dumps(payload, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    if len(content) > blobs.MAX_BLOB_BYTES:
        raise LedgerError(f"the result is too large to be recorded ({len(content):,} bytes)")
    return content


def _refuse_large_files(files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        if len(content) > blobs.MAX_BLOB_BYTES:
            raise LedgerError(
                f"the file is too large to be recorded ({len(content):,} bytes; at most {blobs.MAX_BLOB_BYTES:,})",
                where=path,
                fix="keep large data outside the submission's folder",
            )


def timestamp(at: datetime | None) -> str:
    """Milliseconds in UTC, always of the same length, so that text order is time order."""
    moment = at or datetime.now(UTC)
    if moment.tzinfo is None:
        raise ValueError("the time of an entry needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
