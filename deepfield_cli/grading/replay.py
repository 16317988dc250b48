"""The calls that a check made, as lines of Python that make them again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepfield_cli.grading.parameters import parameter_names
from deepfield_cli.sandbox.submission import Reference
from deepfield_cli.sandbox.wire import Stream, Tensor

# A literal longer than this stands in a file of its own: the script is there to be read.
_LONGEST_LITERAL = 160
_LINE = 110
# With more calls than this, those on which nothing later depends are left out.
_MOST_CALLS = 12
# How far into an answer we look for arrays and references; lists of token ids have neither.
_LOOK = 200


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

    def write(self, notes: Sequence[Mapping[str, Any]]) -> None:
        """Turn the notes of a check into lines."""
        needed = _needed(notes)
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
        if self.lines:
            self.lines.append("")
        if operation == "probe":
            self.lines.append(
                f"# Here the check ran its own probe, {note['target']}, beside your code; it is not replayed."
            )
        elif operation == "put":
            self._put(note, number)
        elif operation == "take":
            owner = self._variable_of(note["on"])
            self._answer(f"list(itertools.islice({owner}, {int(note['count'])}))", note, number)
        elif operation == "get":
            self._answer(f"{self._owner(note)}.{note['target']}", note, number)
        elif operation == "call":
            self._call(note, number)

    def _put(self, note: Mapping[str, Any], number: int) -> None:
        variable = f"kept_{number}"
        self.lines.append(f"{variable} = {self._expression(note['value'], variable)}")
        if isinstance(note["value"], Tensor):
            self.kept[variable] = variable
        self._remember(note["result"], variable)

    def _call(self, note: Mapping[str, Any], number: int) -> None:
        owner = self._owner(note)
        names = parameter_names(self.source, note["target"]) if note["on"] is None else []
        arguments = []
        for place, value in enumerate(note["positional"]):
            name = names[place] if place < len(names) else f"argument_{place}"
            arguments.append(self._argument(value, f"{name}_{number}"))
        for name, value in note["named"].items():
            arguments.append(f"{name}={self._argument(value, f'{name}_{number}')}")
        self._answer(_formatted(f"{owner}.{note['target']}", arguments), note, number)

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
        return self.module if note["on"] is None else self._variable_of(note["on"])

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
        self.arrays[name] = tensor.array
        layout = "" if tensor.layout == "contiguous" else f", layout={quoted(tensor.layout)}"
        expression = f"{'tensor' if tensor.kind == 'torch' else 'array'}({quoted(name)}{layout})"
        if tensor.dtype != tensor.array.dtype.name and re.fullmatch(r"\w+", tensor.dtype):
            expression += f".to(torch.{tensor.dtype})"
        return expression + (".requires_grad_()" if tensor.requires_grad else "")


class _Unknown(Exception):
    """A step needs something that the notes do not have."""


def parts(value: Any, expression: str) -> Iterator[tuple[str, Any]]:
    """A value and everything in it that can be reached by index or key, each with its expression."""
    yield expression, value
    if isinstance(value, list | tuple):
        for place, item in enumerate(value[:_LOOK]):
            yield from parts(item, f"{expression}[{place}]")
    elif isinstance(value, dict):
        for key, item in list(value.items())[:_LOOK]:
            yield from parts(item, f"{expression}[{quoted(key) if isinstance(key, str) else repr(key)}]")


def quoted(text: str) -> str:
    """Text as a Python literal, in double quotes where that needs no more escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def _needed(notes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All notes if they are few, else the last one and those that made what it needs."""
    if len(notes) <= _MOST_CALLS:
        return list(notes)
    wanted = _used(notes[-1])
    chosen = [notes[-1]]
    for note in reversed(notes[:-1]):
        made = {leaf.number for _, leaf in parts(note.get("result"), "") if isinstance(leaf, Reference)}
        if made & wanted:
            wanted |= _used(note)
            chosen.append(note)
    return chosen[::-1]


def _used(note: Mapping[str, Any]) -> set[int]:
    """Numbers of the references that a step takes."""
    taken = [note.get("positional", ()), note.get("named", {}), note.get("value")]
    numbers = {
        leaf.number for _, leaf in parts([list(taken[0]), taken[1], taken[2]], "") if isinstance(leaf, Reference)
    }
    return numbers | ({note["on"]} if note.get("on") is not None else set())


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
