"""The kinds of change that mutants are made of: what one node of a syntax tree may become."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """Another node in place of one; None takes a statement out. ``told`` says it shorter than the two nodes would."""

    kind: str
    node: ast.AST | None
    told: tuple[str, str] | None = None


_ARITHMETIC: Mapping[type[ast.operator], Sequence[type[ast.operator]]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.BitXor: [ast.BitOr],
}
_NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
_COMPARISON: Mapping[type[ast.cmpop], Sequence[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_RELATIVES = {"sorted": "list", "reversed": "list", "strip": "lstrip", "log": "exp", "exp": "log", "prod": "sum"}
for _one, _other in (
    *(("min", "max"), ("any", "all"), ("floor", "ceil"), ("zeros", "ones"), ("zeros_like", "ones_like")),
    *(("sum", "mean"), ("argmin", "argmax"), ("amin", "amax"), ("minimum", "maximum"), ("tril", "triu")),
    *(("startswith", "endswith"), ("lstrip", "rstrip"), ("find", "rfind"), ("lower", "upper"), ("cos", "sin")),
    *(("cumsum", "cumprod"), ("append", "remove"), ("union", "intersection")),
):
    _RELATIVES[_one], _RELATIVES[_other] = _other, _one


def changes(node: ast.AST, owner: ast.AST, field: str, parameters: Sequence[str]) -> Iterator[Change]:
    """What a node may become.

    Args:
        node: the node.
        owner: the node that holds it.
        field: the owner's field that it stands in.
        parameters: names of the enclosing function's parameters.

    """
    if isinstance(node, ast.expr) and _is_condition(owner, field) and not _is_negated(node):
        yield Change("condition", ast.UnaryOp(ast.Not(), node))
    if isinstance(node, ast.expr) and isinstance(owner, ast.Slice):
        yield from _bound(node, "slice")
    if isinstance(node, ast.Return):
        yield from _return(node, parameters)
    of_type = _BY_TYPE.get(type(node))
    if of_type is not None:
        yield from of_type(node)


def _is_condition(owner: ast.AST, field: str) -> bool:
    if isinstance(owner, ast.If | ast.While | ast.IfExp):
        return field == "test"
    return isinstance(owner, ast.comprehension) and field == "ifs"


def _is_negated(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _bound(node: ast.expr, kind: str) -> Iterator[Change]:
    """A bound one lower and one higher; constants have their own changes."""
    if not isinstance(node, ast.Constant):
        yield Change(kind, ast.BinOp(node, ast.Add(), ast.Constant(1)))
        yield Change(kind, ast.BinOp(node, ast.Sub(), ast.Constant(1)))


def _return(node: ast.Return, parameters: Sequence[str]) -> Iterator[Change]:
    if node.value is None:
        return
    for name in parameters:
        yield Change("return", ast.Return(ast.Name(name, ast.Load())))
    yield Change("return", ast.Return(None))


def _binary(node: ast.BinOp) -> Iterator[Change]:
    for operator in _ARITHMETIC.get(type(node.op), ()):
        yield Change("operator", ast.BinOp(node.left, operator(), node.right))
    if isinstance(node.op, _NOT_COMMUTATIVE):
        yield Change("swap", ast.BinOp(node.right, node.op, node.left))


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISON[type(operator)]:
            yield Change("comparison", _with(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]]))


def _constant(node: ast.Constant) -> Iterator[Change]:
    value: Any = node.value
    others: list[Any] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int | float):
        others = [value + 1, value - 1, type(value)(0), -value]
    elif isinstance(value, str):
        others = ["", value + "x"]
    elif isinstance(value, bytes):
        others = [b"", value + b"x"]
    for other in others:
        if other != value:
            yield Change("constant", ast.Constant(other))


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if not isinstance(node.op, ast.UAdd):
        yield Change("negation", node.operand)


def _boolean(node: ast.BoolOp) -> Iterator[Change]:
    yield Change("boolean", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()))


def _call(node: ast.Call) -> Iterator[Change]:
    for index in range(len(node.args) - 1):
        if not any(isinstance(one, ast.Starred) for one in node.args[index : index + 2]):
            first, second = map(ast.unparse, node.args[index : index + 2])
            other = _with(node, args=_swapped(node.args, index))
            yield Change("swap", other, told=(f"{first}, {second}", f"{second}, {first}"))
    for index, keyword in enumerate(node.keywords):
        rest = node.keywords[:index] + node.keywords[index + 1 :]
        yield Change("keyword", _with(node, keywords=rest), told=(ast.unparse(keyword), "nothing"))
    yield from _relative(node)
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield from _range(node)


def _relative(node: ast.Call) -> Iterator[Change]:
    """A function's near relative in its place: min for max, zeros for ones."""
    field = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node.func), "")
    name = getattr(node.func, field, "")
    if name in _RELATIVES:
        other = _RELATIVES[name]
        yield Change("function", _with(node, func=_with(node.func, **{field: other})), told=(name, other))


def _range(node: ast.Call) -> Iterator[Change]:
    for index, argument in enumerate(node.args):
        for change in _bound(argument, "range"):
            yield Change("range", _with(node, args=[*node.args[:index], change.node, *node.args[index + 1 :]]))
    if len(node.args) == 1:
        yield Change("range", _with(node, args=[ast.Constant(1), *node.args]))


def _tuple(node: ast.Tuple) -> Iterator[Change]:
    for index in range(len(node.elts) - 1):
        yield Change("swap", _with(node, elts=_swapped(node.elts, index)))


def _slice(node: ast.Slice) -> Iterator[Change]:
    yield Change("slice", _with(node, lower=ast.Constant(1) if node.lower is None else None))
    yield Change("slice", _with(node, upper=ast.Constant(-1) if node.upper is None else None))
    if node.step is not None:
        yield Change("slice", _with(node, step=None))


def _augmented(node: ast.AugAssign) -> Iterator[Change]:
    for operator in _ARITHMETIC.get(type(node.op), ()):
        yield Change("operator", _with(node, op=operator()))
    yield Change("operator", ast.Assign([node.target], node.value, lineno=node.lineno))


def _comprehension(node: ast.comprehension) -> Iterator[Change]:
    for index in range(len(node.ifs)):
        yield Change("filter", _with(node, ifs=node.ifs[:index] + node.ifs[index + 1 :]))


def _break(node: ast.Break) -> Iterator[Change]:
    yield Change("loop", ast.Continue())


def _continue(node: ast.Continue) -> Iterator[Change]:
    yield Change("loop", ast.Break())


def _with(node: Any, **fields: Any) -> Any:
    """A copy of a node with other fields; its children are shared."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _swapped(items: Sequence[ast.expr], index: int) -> list[ast.expr]:
    return [*items[:index], items[index + 1], items[index], *items[index + 2 :]]


_BY_TYPE: Mapping[type, Callable[[Any], Iterator[Change]]] = {
    ast.BinOp: _binary,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Tuple: _tuple,
    ast.Slice: _slice,
    ast.AugAssign: _augmented,
    ast.comprehension: _comprehension,
    ast.Break: _break,
    ast.Continue: _continue,
}
