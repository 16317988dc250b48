"""Advice from the source: where a forbidden name stands. The verdict rests on what runs, never on this."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping

from deepfield_cli.content.problem import Problem
from deepfield_cli.content.python_source import parse


def advise(files: Mapping[str, bytes], problem: Problem) -> list[str]:
    """One sentence for each place in the submission that names something forbidden."""
    calls = {rule.call: rule.reason for rule in problem.forbidden if rule.call}
    modules = {rule.module: rule.reason for rule in problem.forbidden if rule.module}
    notes = []
    for name, content in files.items():
        if name.endswith(".py"):
            notes += [f"{name}:{line} names {what}: {reason}" for line, what, reason in _found(content, calls, modules)]
    return notes[:10]


def _found(content: bytes, calls: Mapping[str, str], modules: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    names = _names_in(content)
    for line, dotted in names.imported:
        root = dotted.partition(".")[0]
        if root in modules:
            yield line, root, modules[root]
    for line, dotted in names.used:
        if dotted in calls:
            yield line, dotted, calls[dotted]


@functools.lru_cache(maxsize=64)  # of a submission of many files, a save changes one
def _names_in(content: bytes) -> _Names:
    """The names in a source; none where it is no Python."""
    names = _Names()
    try:
        names.visit(parse(content))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two for expressions nested without end
        return _Names()
    return names


class _Names(ast.NodeVisitor):
    """Dotted names as they are written, with import aliases undone."""

    def __init__(self) -> None:
        self.imported: list[tuple[int, str]] = []
        self.used: list[tuple[int, str]] = []
        self._aliases: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imported.append((node.lineno, alias.name))
            if alias.asname:
                self._aliases[alias.asname] = alias.name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            self.imported.append((node.lineno, full))
            self._aliases[alias.asname or alias.name] = full

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self._dotted(node)
        if dotted:
            self.used.append((node.lineno, dotted))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self._aliases:
            self.used.append((node.lineno, self._aliases[node.id]))

    def _dotted(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self._aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self._dotted(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None
