"""The rooms of the program are read in order, and each knows only those before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import deepfield_cli

PROGRAM = Path(deepfield_cli.__file__).parent
ROOMS = (
    "content",
    "practice",
    "datasets",
    "sandbox",
    "grading",
    "authoring",
    "summit",
    "ledger",
    "journey",
    "render",
    "cli",
)
# What every room may use, and which uses none of them.
BASE = ("errors", "locks", "network", "whole_files")
# How a command begins, and the demonstration: they stand in front of the rooms and may open each door.
FRONT = ("__init__", "__main__", "demo", "early")
# What a room takes over from there: the process that was started before anything was imported.
TAKEN_OVER = {"journey": {"early"}}


def known_by(path: Path) -> Iterator[tuple[str, int]]:
    """The parts of the program that a file imports, wherever in it, with the line."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            inside = node.module == "deepfield_cli"
            names = [f"deepfield_cli.{name.name}" for name in node.names] if inside else [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        yield from ((name.split(".")[1], node.lineno) for name in names if name.startswith("deepfield_cli."))


def test_every_part_of_the_program_has_its_place() -> None:
    modules = {path.stem for path in PROGRAM.glob("*.py")}
    folders = {path.parent.name for path in PROGRAM.glob("*/__init__.py")}
    assert modules == {*BASE, *FRONT}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_those_before_it(room: str) -> None:
    allowed = {*BASE, "__version__", *ROOMS[: ROOMS.index(room) + 1], *TAKEN_OVER.get(room, ())}
    strange = [
        f"{path.relative_to(PROGRAM)}:{line} knows {name}"
        for path in sorted((PROGRAM / room).rglob("*.py"))
        if "template" not in path.parts
        for name, line in known_by(path)
        if name not in allowed
    ]
    assert strange == []


@pytest.mark.parametrize("name", BASE)
def test_what_every_room_uses_uses_none(name: str) -> None:
    assert {known for known, _ in known_by(PROGRAM / f"{name}.py")} <= set(BASE)
