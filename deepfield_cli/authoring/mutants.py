"""Small changes to a solution, one at a time: each would be a bug, unless nobody could ever tell."""

from __future__ import annotations

import ast
import hashlib
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deepfield_cli.authoring.mutations import Change, changes
from deepfield_cli.content.python_source import parse

_KEY_LENGTH = 10
_SNIPPET = 48
# What a learner never runs, or only reads: annotations, decorators, imports, the words of an exception.
_SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "bases", "type_params", "exc", "cause", "msg"}
_SKIPPED_NODES = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
_LISTS_OF_STATEMENTS = {"body", "orelse", "finalbody"}
_DROPPABLE = (
    *(ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Delete, ast.Raise, ast.Assert),
    *(ast.If, ast.For, ast.While, ast.Break, ast.Continue),
)


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        key: the same as long as the function and the statement stay the same, wherever they move.
        kind: the kind of change.
        line: line of the changed code in the file.
        column: column, from 1.
        old: the changed code.
        new: what takes its place.
        function: the function that it stands in.
        before: the statement, on one line.
        after: the statement with the change; empty where it is dropped.
        source: the whole file with the change.

    """

    key: str
    kind: str
    line: int
    column: int
    old: str
    new: str
    function: str
    before: str
    after: str
    source: str

    @property
    def id(self) -> str:
        """What stands in mutants.yaml: the key, which counts, and the rest, which people read."""
        new = _short(self.new) or "nothing"
        return f"{self.key} {self.line}:{self.column} {self.kind} {_short(self.old)}→{new}"


@dataclass(frozen=True)
class _Site:
    """A place in the tree where something may change."""

    owner: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    function: ast.FunctionDef | ast.AsyncFunctionDef | None
    path: str

    @property
    def node(self) -> ast.AST:
        """What stands there."""
        value = getattr(self.owner, self.field)
        found: ast.AST = value if self.index is None else value[self.index]
        return found

    @contextmanager
    def holding(self, node: ast.AST | None) -> Iterator[None]:
        """The tree with another node there; None takes a statement out."""
        value = getattr(self.owner, self.field)
        before = list(value) if isinstance(value, list) else value
        if self.index is None:
            setattr(self.owner, self.field, node)
        else:
            value[self.index] = ast.Pass() if node is None else node
        try:
            yield
        finally:
            setattr(self.owner, self.field, before)


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of the file; none that compiles to the same as another or as the file."""
    tree = parse(source)
    seen = {_fingerprint(ast.unparse(tree))}
    ordinals: Counter[tuple[str, ...]] = Counter()
    found = []
    for site in _sites(tree, tree.body[0] if tree.body else ast.Pass(), None, ""):
        for change in _changes(site):
            mutant = _mutant(tree, site, change, ordinals)
            fingerprint = _fingerprint(mutant.source)
            if fingerprint is not None and fingerprint not in seen:
                seen.add(fingerprint)
                found.append(mutant)
    return found


def _changes(site: _Site) -> Iterator[Change]:
    parameters = _parameters(site.function)
    yield from changes(site.node, site.owner, site.field, parameters)
    if site.field in _LISTS_OF_STATEMENTS and isinstance(site.node, _DROPPABLE):
        yield Change("drop", None)


def _mutant(tree: ast.Module, site: _Site, change: Change, ordinals: Counter[tuple[str, ...]]) -> Mutant:
    node, is_statement = site.node, site.node is site.statement
    before = _headline(site.statement)
    old, new = change.told or (_headline(node), _headline(change.node))
    with site.holding(change.node):
        after = _headline(change.node if is_statement else site.statement)
        text = ast.unparse(tree)
    identity = (site.path, change.kind, before, after)
    ordinals[identity] += 1
    digest = hashlib.sha256("\0".join([*identity, str(ordinals[identity])]).encode("utf-8", "surrogatepass"))
    return Mutant(
        key=digest.hexdigest()[:_KEY_LENGTH],
        kind=change.kind,
        line=getattr(node, "lineno", site.statement.lineno),
        column=getattr(node, "col_offset", site.statement.col_offset) + 1,
        old=old,
        new=new,
        function=site.path or "the module",
        before=before,
        after=after,
        source=text,
    )


def _sites(
    owner: ast.AST, statement: ast.stmt, function: ast.FunctionDef | ast.AsyncFunctionDef | None, path: str
) -> Iterator[_Site]:
    """Every place below a node, in the order of the file."""
    for field, index, node in _children(owner):
        inner = node if isinstance(node, ast.stmt) else statement
        yield _Site(owner, field, index, inner, function, path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _sites(node, inner, node, f"{path}.{node.name}".lstrip("."))
        elif isinstance(node, ast.ClassDef):
            yield from _sites(node, inner, function, f"{path}.{node.name}".lstrip("."))
        else:
            yield from _sites(node, inner, function, path)


def _children(owner: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The nodes right below one that are worth changing, each with its field and its index there."""
    for field, value in ast.iter_fields(owner):
        if field in _SKIPPED_FIELDS:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not isinstance(node, _SKIPPED_NODES) and not _is_inert(node):
                yield field, index, node


def _is_inert(node: ast.AST) -> bool:
    """Docstrings, what runs only when the file is a script, and what `import *` would bring along."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and isinstance(node.test.left, ast.Name):
        return node.test.left.id == "__name__"
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["__all__"]
    return False


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | None) -> list[str]:
    if function is None:
        return []
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [name for name in names if name not in ("self", "cls")]


def _headline(node: ast.AST | None) -> str:
    """A node on one line: of a compound statement, its head."""
    return "" if node is None else ast.unparse(node).strip().partition("\n")[0]


def _fingerprint(source: str) -> object:
    """What a file compiles to, without its line numbers; None if it does not compile."""
    try:
        return _shape(compile(source, "mutant", "exec", dont_inherit=True))
    except (SyntaxError, ValueError):
        return None


def _shape(code: types.CodeType) -> tuple[object, ...]:
    constants = tuple(
        _shape(one) if isinstance(one, types.CodeType) else (type(one).__name__, repr(one)) for one in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (code.co_code, constants, names, code.co_argcount, code.co_flags, code.co_exceptiontable)


def _short(text: str) -> str:
    return text if len(text) <= _SNIPPET else text[: _SNIPPET - 1] + "…"
