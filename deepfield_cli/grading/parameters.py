"""Names of the parameters of a learner's function, read from its source and never by running it."""

from __future__ import annotations

import ast

from deepfield_cli.content.python_source import parse


def parameter_names(source: bytes, target: str) -> list[str]:
    """The positional parameters of ``function`` or ``Class.method``, without self and cls; empty if it is not found."""
    try:
        scope: list[ast.stmt] = parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    *classes, name = target.split(".")
    for owner in classes:
        found = [node for node in scope if isinstance(node, ast.ClassDef) and node.name == owner]
        scope = found[-1].body if found else []
    functions = [node for node in scope if isinstance(node, ast.FunctionDef) and node.name == name]
    if not functions:
        return []
    arguments = functions[-1].args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    return names[1:] if classes and names[:1] in (["self"], ["cls"]) else names
