"""What a grader's file imports from the kit, as source: it travels with a probe, as the worker can read neither."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from deepfield_cli.content.python_source import parse
from deepfield_cli.errors import ContentError

_KIT = "graders.kit"


@functools.lru_cache(maxsize=64)  # asked for at every grade of a batch; a kit that changes meanwhile is the next run's
def kit_sources(source: str) -> Mapping[str, str]:
    """The kit's modules that a source imports, and those that they import, by dotted name.

    The name of a package ends in a dot. Raises ContentError for a module that the kit does not have.
    """
    found: dict[str, str] = {}
    waiting = list(_imported(source, package=""))
    while waiting:
        name = waiting.pop()
        for part in _with_parents(name):
            if part in found or f"{part}." in found:
                continue
            path = _path(part)
            text = path.read_text(encoding="utf-8")
            is_package = path.name == "__init__.py"
            found[f"{part}." if is_package else part] = text
            waiting += _imported(text, package=part if is_package else part.rpartition(".")[0])
    return found if not found else {"graders.": "", **found}


def _imported(source: str, package: str) -> Iterator[str]:
    """Dotted names of the kit's modules that a source imports."""
    try:
        tree = parse(source)
    except SyntaxError:  # told with its place by whoever runs the file
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
            names = [name for name in names if name == base or _exists(name)]
        else:
            continue
        yield from (name for name in names if name == _KIT or name.startswith(f"{_KIT}."))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _with_parents(name: str) -> list[str]:
    """``graders.kit``, then every package down to the module itself."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(2, len(parts) + 1)]


def _exists(name: str) -> bool:
    return name.startswith(f"{_KIT}.") and _found(name) is not None


def _path(name: str) -> Path:
    path = _found(name)
    if path is None:
        raise ContentError(f"the kit has no module {name}", where=name)
    return path


def _found(name: str) -> Path | None:
    base = _kit_folder().parent.parent.joinpath(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _kit_folder() -> Path:
    from deepfield_cli.content.packs import builtin_pack

    return builtin_pack().root / "graders" / "kit"
