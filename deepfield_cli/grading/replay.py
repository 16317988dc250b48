"""The calls that a check made, as lines of Python that make them again."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepfield_cli.grading.parameters import parameter_names
from deepfield_cli.sandbox.submission import Reference
from deepfield_cli.sandbox.wire import RemoteObject, Stream, Tensor

# A literal longer than this stands in a file of its own: the script is there to be read.
_LONGEST_LITERAL = 160
_LINE = 110
# With more calls than this, those that have nothing to do with what was compared are left out.
_MOST_CALLS = 12
# The name of the copy of the problem's probe beside the script.
PROBE = "probe"
# How far into an answer we look for arrays and references; lists of token ids have neither.
_LOOK = 200
_DEEPEST = 4


@dataclass
class Replay:
    """What has been written down so far.

    Attributes:
        module: the name under which the script imports the learner's file.
        source: the learner's file, for the names of parameters.
        lines: the script's lines.
        arrays: inputs by name, for the npz file.
        texts: long literals by name, for files of their own.
        answers: every part of an answer that the script has an expression for.
        kept: values that the check put aside, to see whether they are changed: variable to name of the input.

    """

    module: str
    source: bytes
    lines: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, Any]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    _references: dict[int, str] = field(default_factory=dict)
    _names: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def write(self, notes: Sequence[Mapping[str, Any]], compared: Sequence[Any]) -> None:
        """Turn the notes of a check into lines; where it is known what was compared, what led to that is enough."""
        needed = _leading_to(compared, notes) if len(notes) > _MOST_CALLS else list(notes)
        if len(needed) < len(notes):
            self.lines.append(
                f"# {len(notes) - len(needed)} calls on whose answers nothing below depends are left out."
            )
        for number, note in enumerate(needed, start=1):
            try:
                self._step(note, number)
            except _Unknown as unknown:
                self.lines.append(f"# From here on it cannot be replayed: {unknown}.")
                return

    def literal(self, value: Any, name: str) -> str:
        """An expression for a plain value; a long one is read from a file."""
        expression = self._expression(value, name)
        if len(expression) <= _LONGEST_LITERAL or not _is_literal(value):
            return expression
        self.texts[name] = expression
        return f"literal({quoted(name)})"

    # One note

    def _step(self, note: Mapping[str, Any], number: int) -> None:
        operation = note.get("op", "call")
        if operation in ("fetch", "usage"):  # a look at what is known already
            return
        if self.lines and not (operation == "put" and self.lines[-1].startswith("kept")):
            self.lines.append("")
        if operation == "put":
            self._put(note, number)
        elif operation == "take":
            owner = self._variable_of(_number(note["value"]))
            self._answer(f"list(itertools.islice({owner}, {int(note['count'])}))", note, number)
        elif operation == "get":
            self._answer(f"{self._owner(note)}.{note['target']}", note, number)
        elif operation == "probe":
            self._call(note, number, f"{PROBE}.{note['function']}", [self.module], [])
        else:
            names = parameter_names(self.source, note["target"]) if note["on"] is None else []
            self._call(note, number, f"{self._owner(note)}.{note['target']}", [], names)

    def _put(self, note: Mapping[str, Any], number: int) -> None:
        variable = f"kept_{number}"
        self.lines.append(f"{variable} = {self.literal(note['value'], variable)}  # {_described(note['value'])}")
        if isinstance(note["value"], Tensor):
            self.kept[variable] = self._stored_as(note["value"].array, variable)
        self._remember(note["result"], variable)

    def _call(
        self, note: Mapping[str, Any], number: int, function: str, arguments: list[str], names: Sequence[str]
    ) -> None:
        for place, value in enumerate(note["positional"]):
            name = names[place] if place < len(names) else f"argument{place}"
            arguments.append(self._argument(value, f"{name}_{number}"))
        for name, value in note["named"].items():
            arguments.append(f"{name}={self._argument(value, f'{name}_{number}')}")
        self._answer(_formatted(function, arguments), note, number)

    def _answer(self, expression: str, note: Mapping[str, Any], number: int) -> None:
        variable = f"answer_{number}"
        self.lines += f"{variable} = {expression}".split("\n")
        self._remember(note["result"], variable)

    def _remember(self, value: Any, expression: str) -> None:
        for place, leaf in parts(value, expression):
            self.answers.append((place, leaf))
            if isinstance(leaf, Reference):
                self._references[leaf.number] = place

    def _owner(self, note: Mapping[str, Any]) -> str:
        return self.module if note["on"] is None else self._variable_of(_number(note["on"]))

    def _variable_of(self, number: int) -> str:
        if number not in self._references:
            raise _Unknown("it needs a value that an earlier step of the check kept, and that step is not on record")
        return self._references[number]

    # Values

    def _argument(self, value: Any, name: str) -> str:
        """An expression that stands in a call; arrays and long values get a line and a variable of their own."""
        if isinstance(value, Reference):
            return self._variable_of(value.number)
        if isinstance(value, Tensor | np.ndarray | Stream) or len(self._expression(value, name)) > _LONGEST_LITERAL:
            line = f"{name} = {self.literal(value, name)}"
            self.lines.append(f"{line}  # {_described(value)}")
            return name
        return self._expression(value, name)

    def _expression(self, value: Any, name: str) -> str:
        if isinstance(value, Reference):
            return self._variable_of(value.number)
        if isinstance(value, Stream):
            return f"(item for item in {self.literal(value.items, name)})"
        if isinstance(value, Tensor | np.ndarray | np.generic):
            return self._array(value if isinstance(value, Tensor) else Tensor(value, kind="numpy"), name)
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if isinstance(value, list):
            return f"[{', '.join(self._items(value, name))}]"
        if isinstance(value, tuple):
            return f"({', '.join(self._items(value, name))}{',' if len(value) == 1 else ''})"
        if isinstance(value, dict):
            pairs = zip(value, self._items(list(value.values()), name), strict=True)
            return f"{{{', '.join(f'{key!r}: {shown}' for key, shown in pairs)}}}"
        return quoted(value) if isinstance(value, str) else repr(value)

    def _items(self, values: Sequence[Any], name: str) -> list[str]:
        return [self._expression(value, f"{name}.{place}") for place, value in enumerate(values)]

    def _array(self, tensor: Tensor, name: str) -> str:
        name = self._stored_as(tensor.array, name)
        layout = "" if tensor.layout == "contiguous" else f", layout={quoted(tensor.layout)}"
        expression = f"{'tensor' if tensor.kind == 'torch' else 'array'}({quoted(name)}{layout})"
        if tensor.dtype != tensor.array.dtype.name and re.fullmatch(r"\w+", tensor.dtype):
            expression += f".to(torch.{tensor.dtype})"
        return expression + (".requires_grad_()" if tensor.requires_grad else "")

    def _stored_as(self, array: np.ndarray, name: str) -> str:
        """The name of the input; equal arrays are stored once, and the script shows that they are equal."""
        key = (array.dtype.name, array.shape, hashlib.sha256(np.ascontiguousarray(array).data).digest())
        known = self._names.setdefault(key, name)
        self.arrays.setdefault(known, array)
        return known


class _Unknown(Exception):
    """A step needs something that the notes do not have."""


def parts(value: Any, expression: str, depth: int = _DEEPEST) -> Iterator[tuple[str, Any]]:
    """A value and what in it can be reached by index or key, each with its expression."""
    yield expression, value
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, list | tuple):
        items = list(enumerate(value[:_LOOK]))
    elif isinstance(value, dict):
        items = list(value.items())[:_LOOK]
    for key, item in items if depth else ():
        yield from parts(item, f"{expression}[{quoted(key) if isinstance(key, str) else repr(key)}]", depth - 1)


def quoted(text: str) -> str:
    """Text as a Python literal, in double quotes where that needs no more escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def _leading_to(compared: Sequence[Any], notes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The calls that gave these values and those that made what they needed; all calls if it is not known which."""
    sought = {id(value) for value in compared}
    wanted: set[int] = set()
    chosen: list[Mapping[str, Any]] = []
    for note in reversed(notes):
        answers = [leaf for _, leaf in parts(note.get("result"), "")]
        made = {leaf.number for leaf in answers if isinstance(leaf, Reference)}
        if made & wanted or any(id(leaf) in sought for leaf in answers):
            wanted |= _used(note)
            chosen.append(note)
    return chosen[::-1] or list(notes)


def _used(note: Mapping[str, Any]) -> set[int]:
    """Numbers of the references that a step takes."""
    taken = [list(note.get("positional", ())), note.get("named", {}), note.get("value")]
    numbers = {leaf.number for _, leaf in parts(taken, "") if isinstance(leaf, Reference | RemoteObject)}
    return numbers | ({_number(note["on"])} if note.get("on") is not None else set())


def _number(owner: Any) -> int:
    """The number of a value that stays in the worker, as it stands in a request."""
    value = owner[0] if isinstance(owner, list) else owner
    return value if isinstance(value, int) else int(value.number)


def _is_literal(value: Any) -> bool:
    """Whether ``ast.literal_eval`` can read its repr back."""
    if isinstance(value, list | tuple):
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(map(_is_literal, value)) and all(map(_is_literal, value.values()))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str, bytes)


def _formatted(function: str, arguments: Sequence[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _LINE:
        return line
    return "\n".join([f"{function}(", *(f"    {argument}," for argument in arguments), ")"])


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        layout = "" if value.layout == "contiguous" else f", {value.layout}"
        return f"{value.dtype} {list(value.shape)}{layout}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, Stream):
        return f"a generator of {len(value.items):,} items"
    size = (
        f", {len(value):,} {'characters' if isinstance(value, str) else 'items'}" if hasattr(value, "__len__") else ""
    )
    return f"{type(value).__name__}{size}"
