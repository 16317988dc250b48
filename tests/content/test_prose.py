"""What learners read is finished: whole sentences, no leftovers, no tools of the workshop, and lines that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepfield_cli.content.roadmap import Roadmap

SENTENCES = {
    "summary", "why", "goal", "note", "notes", "issue", "resolution", "hook", "first_step", "reached_when", "build",
    "steps", "covers", "hand_in", "premise", "survey", "rule", "question", "ask", "make", "intro", "rungs",
}  # fmt: skip
LEFTOVERS = re.compile(
    r"\b(TODO|FIXME|TBD|XXX|lorem|roadmap_facts|the seed|from the brief|shared/)\b|\?\?|  |\s$|^\s", re.IGNORECASE
)


def test_sentences_end(roadmap: Roadmap) -> None:
    unfinished = [
        f"{path}: {text}"
        for path, key, text in texts(roadmap)
        if key in SENTENCES and not text.endswith((".", "?")) and not _is_command(text)
    ]
    assert unfinished == []


def test_nothing_is_left_over(roadmap: Roadmap) -> None:
    found = [f"{path}: {text}" for path, _, text in texts(roadmap) if LEFTOVERS.search(text)]
    assert found == []


def test_sentences_begin_with_a_capital(roadmap: Roadmap) -> None:
    """Or with a name that is written small, such as fast_p or minbpe."""
    names = ("minbpe", "mlsys/", "fast_p", "int4")
    small = [
        f"{path}: {text}"
        for path, key, text in texts(roadmap)
        if key in SENTENCES and text[0].islower() and not text.startswith(names) and not _is_command(text)
    ]
    assert small == []


def test_lines_fit(pack_root: Path) -> None:
    """A file of the curriculum is edited by people; signatures and addresses may be longer."""
    long = [
        f"{path.name}:{number}"
        for path in sorted((pack_root / "curriculum").rglob("*.yaml"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120 and "signature:" not in line and "http" not in line
    ]
    assert long == []


def _is_command(text: str) -> bool:
    return text.startswith("deepfield ")


def texts(roadmap: Roadmap) -> Iterator[tuple[str, str, str]]:
    """Every text of the roadmap with its path and the nearest key."""
    yield from _walk(roadmap.model_dump(mode="json"), "", "")


def _walk(value: Any, path: str, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            # a rung's sentence stands under the rung's name, a target's number and a rule's leaf are no prose
            inner = "rungs" if key == "rungs" else name
            if not (name == "rung" or (key == "" and name == "format_version")):
                yield from _walk(part, f"{path}/{name}", inner)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _walk(part, f"{path}/{number}", key)
    elif isinstance(value, str):
        yield path, key, value
