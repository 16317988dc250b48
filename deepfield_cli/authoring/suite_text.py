"""What can be read off a suite without running it: the names it calls and the diagnoses it gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from deepfield_cli.authoring.claim import unknown_diagnosis
from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Problem
from deepfield_cli.content.python_source import parse
from deepfield_cli.grading.diagnoses import look_up


def suite_text_findings(location: ProblemLocation, problem: Problem) -> Iterator[Finding]:
    """Api names that no line of the suite mentions, and diagnoses that nobody could look up."""
    trees = {path: parse(path.read_text(encoding="utf-8")) for path in _files(location)}
    mentioned = {name for tree in trees.values() for name in _mentioned(tree)}
    for api in problem.api:
        if not {api.name, api.name.rpartition(".")[2]} & mentioned:
            yield Finding(
                where=str(location.grader / "suite.py"),
                what=f"{api.name} is in the api, and the suite never names it",
                fix="call it in a check, or take it out of the api",
            )
    for path, tree in trees.items():
        for line, name in _diagnoses(tree):
            if look_up(name, problem) is None:
                yield Finding(where=f"{path}:{line}", **unknown_diagnosis(name, problem))


def _files(location: ProblemLocation) -> list[Path]:
    """The suite and what it is spread over: every file that lies directly in the grader's folder."""
    return sorted(location.grader.glob("*.py"))


def _mentioned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def _diagnoses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Texts after ``diagnosis=``, whichever call they stand in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "diagnosis":
            yield from _texts(node.value)


def _texts(value: ast.expr) -> Iterator[tuple[int, str]]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.lineno, value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
