"""Full-text search over the whole road: an index in SQLite, kept in the cache and made anew when a file changes."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli import __version__
from deepfield_cli.content.kept import cache_folder, fingerprint_of, short_digest
from deepfield_cli.content.packs import packs, problem_ids
from deepfield_cli.content.road import open_roadmap, road_files, road_root
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.whole_files import whole_file

# Raise it when what is indexed changes.
_FORMAT = 1
_TABLE = "CREATE VIRTUAL TABLE road USING fts5(kind UNINDEXED, id, title, body, tokenize = 'porter unicode61')"
# A word in the id or the title says more about a thing than one in its text; the numbers are bm25's column weights.
_QUERY = """SELECT kind, id, title, snippet(road, 3, char(2), char(3), '…', 14) FROM road
WHERE road MATCH ? ORDER BY bm25(road, 0, 6, 8, 1) LIMIT ?"""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found.

    Attributes:
        kind: what it is.
        id: what ``show`` takes.
        title: what it is called.
        snippet: where the words stand; each between the characters 2 and 3.

    """

    kind: str
    id: str
    title: str
    snippet: str


def search(words: str, limit: int, workspace: Workspace | None = None) -> list[Hit]:
    """The best hits for all words, or, where nothing holds them all, for any; raise DeepfieldError without a word."""
    tokens = _WORD.findall(words)
    if not tokens:
        raise DeepfieldError("there is no word to look for", fix='e.g. deepfield search "importance weights"')
    with contextlib.closing(_open_index()) as connection:
        found = _ask(connection, tokens, limit)
    own = _own_notes(workspace)
    if own:
        with contextlib.closing(_new_index(":memory:", own)) as connection:
            found = _ask(connection, tokens, limit) + found
    return found[:limit]


def _ask(connection: sqlite3.Connection, tokens: list[str], limit: int) -> list[Hit]:
    quoted = [f'"{token}"*' for token in tokens]
    for operator in (" AND ", " OR "):
        rows = connection.execute(_QUERY, (operator.join(quoted), limit)).fetchall()
        if rows:
            return [Hit(*row) for row in rows]
    return []


def _open_index() -> sqlite3.Connection:
    """The kept index if it is about these very files, else a new one, kept where that can be done."""
    found = packs()
    root = road_root(found)
    briefs = [pack.location(name).brief for pack in found for name in pack.problem_ids()]
    files = [*(road_files(root) if root else ()), *(brief for brief in briefs if brief.is_file())]
    name = f"search-{short_digest([str(pack.root) for pack in found])}-"
    path = cache_folder() / f"{name}{fingerprint_of(files, _FORMAT, __version__)}.db"
    if path.is_file():
        with contextlib.suppress(sqlite3.Error):
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
            connection.execute("SELECT count(*) FROM road")
            return connection
    return _keep_index(path, name)


def _keep_index(path: Path, name: str) -> sqlite3.Connection:
    rows = list(_rows())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as fresh:
            _new_index(str(fresh), rows).close()
            for old in path.parent.glob(f"{name}*.db"):
                old.unlink(missing_ok=True)
        return sqlite3.connect(path)
    except (OSError, sqlite3.Error):
        return _new_index(":memory:", rows)


def _new_index(place: str, rows: Iterable[tuple[str, str, str, str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(place)
    with connection:
        connection.execute(_TABLE)
        connection.executemany("INSERT INTO road VALUES (?, ?, ?, ?)", rows)
    return connection


def _rows() -> Iterator[tuple[str, str, str, str]]:
    from deepfield_cli.content.packs import find_location

    roadmap = open_roadmap()
    briefs = {name: find_location(name).brief for name in problem_ids()}
    for kind, items in roadmap.collections().items():
        for identifier, item in items.items():
            document = item.model_dump(mode="json")
            title = str(document.get("title") or document.get("name") or document.get("issue") or identifier)
            body = " · ".join(_texts({key: value for key, value in document.items() if key not in ("id", "title")}))
            if identifier in briefs:
                body += " · " + _text_of(briefs.pop(identifier))
            yield kind, identifier, title, body
    for name, brief in briefs.items():
        yield "problem", name, find_location(name).load().title, _text_of(brief)


def _text_of(brief: Path) -> str:
    return brief.read_text(encoding="utf-8") if brief.is_file() else ""


def _texts(value: object) -> Iterator[str]:
    """Every text in a document, keys and addresses left out."""
    if isinstance(value, str):
        if any(map(str.isalpha, value)) and not value.startswith(("http://", "https://")):
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _own_notes(workspace: Workspace | None) -> list[tuple[str, str, str, str]]:
    """The learner's gap log: their own words are found first."""
    from deepfield_cli.journey.gaps import read_gaps

    if workspace is None or not workspace.has_record():
        return []
    return [
        ("gap", gap.problem, f"gap {gap.number} of {gap.problem}", f"{gap.paper} · {gap.reality} · {gap.effect or ''}")
        for gap in read_gaps(workspace)
    ]
