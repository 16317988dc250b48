"""The folders of a problem, and what is missing from them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Problem
from deepfield_cli.content.python_source import parse
from deepfield_cli.errors import near_miss

_LEAST_SOLUTIONS = 2


def layout_findings(location: ProblemLocation, problem: Problem) -> Iterator[Finding]:
    """Whatever is missing on the disk."""
    yield from _brief(location)
    yield from _starter(location.starter / problem.entry, problem)
    solutions = location.solutions()
    if len(solutions) < _LEAST_SOLUTIONS:
        yield Finding(
            where=str(location.grader / "solutions"),
            what=f"{len(solutions)} of at least {_LEAST_SOLUTIONS} solutions",
            fix="add one in another style: a suite with one solution tests a style",
        )
    for path in solutions:
        if path.is_dir() and not (path / problem.entry).is_file():
            yield Finding(where=str(path), what=f"it has no {problem.entry}", fix="a folder needs the entry file")


def _brief(location: ProblemLocation) -> Iterator[Finding]:
    text = location.brief.read_text(encoding="utf-8") if location.brief.is_file() else ""
    if not text.strip():
        yield Finding(where=str(location.brief), what="there is no brief", fix="write what is to be built, and why")


def _starter(path: Path, problem: Problem) -> Iterator[Finding]:
    if not path.is_file():
        yield Finding(where=str(path), what="there is no starter", fix="write the stub that deepfield start copies")
        return
    try:
        tree = parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        yield Finding(where=f"{path}:{line}", what=f"not valid Python: {error}", fix="the starter must load")
        return
    defined = _defined(tree)
    for api in problem.api:
        if api.name not in defined:
            hint = near_miss(api.name, defined) or "define it, with raise NotImplementedError"
            yield Finding(where=str(path), what=f"{api.name} is in the api and not in the starter", fix=hint)


def _defined(tree: ast.Module) -> list[str]:
    """Dotted names of functions, classes, methods and annotated or assigned attributes."""
    names = []
    for node in tree.body:
        names += [_name(node), *(f"{_name(node)}.{_name(part)}" for part in getattr(node, "body", []))]
        names += [f"{_name(node)}.{name}" for name in _own_attributes(node)]
    return [name for name in names if name and not name.endswith(".")]


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return getattr(node, "name", "")


def _own_attributes(node: ast.stmt) -> list[str]:
    """Names after ``self.`` that a class assigns to."""
    targets = [part for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)]
    return [target.attr for target in targets if isinstance(target.value, ast.Name) and target.value.id == "self"]
