"""YAML without its surprises: no duplicate keys, no ``yes`` that is True, no anchors, and every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from deepfield_cli.errors import ContentError, near_miss

if hasattr(yaml, "CSafeLoader"):
    from yaml import CSafeLoader as _Loader
else:  # PyYAML built without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

Model = TypeVar("Model")

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)\Z")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*(_[0-9]+)*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")
# Python converts no longer integers, and nobody writes them by hand.
_LONGEST_NUMBER = 400
# libyaml follows nested brackets on the C stack, which ends the whole process; the largest file has a tenth of these.
_MOST_BRACKETS = 10_000
_QUOTED = {"'", '"', "|", ">"}
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ["bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value"]
}
_NULL = {"", "null", "~"}
_LOOKALIKE_BOOLEANS = {"yes", "no", "on", "off", "y", "n", "True", "False", "TRUE", "FALSE"}


class Lines(dict[tuple[str | int, ...], int]):
    """The line (from 1) of each value in a document, keyed by its path."""


def load_yaml(path: Path) -> Any:
    """Return the plain value of a YAML file; raise ContentError with file and line on any surprise."""
    return load_yaml_with_lines(path)[0]


def load_yaml_with_lines(path: Path) -> tuple[Any, Lines]:
    """Return the plain value of a YAML file and where each part of it stands."""
    return _value_of(path, read_yaml(path))


def read_yaml(path: Path) -> str:
    """Return the text of a YAML file; raise ContentError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ContentError(
            f"cannot be read: {reason}", where=str(path), fix="check the file and its encoding"
        ) from error


def _value_of(path: Path, text: str) -> tuple[Any, Lines]:
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise ContentError(f"more than {_MOST_BRACKETS:,} brackets", where=str(path), fix="split the file")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _syntax_error(path, error, text) from error
    if node is None:
        return None, Lines()
    lines = Lines()
    try:
        return _Reader(path, lines, text).value(node, ()), lines
    except RecursionError as error:
        raise ContentError("nested too deeply", where=str(path), fix="use fewer levels") from error


def load_model(path: Path, model: type[Model], text: str | None = None) -> Model:
    """Return ``path`` read strictly into a pydantic model; name the line and the near miss of every fault.

    Whoever has read the file already gives its text.
    """
    value, lines = _value_of(path, read_yaml(path) if text is None else text)
    return parse_model(value, lines, path, model)


def parse_model(value: Any, lines: Lines, path: Path, model: type[Model]) -> Model:
    """Validate a loaded value against a pydantic model; raise ContentError for the first fault."""
    import pydantic

    adapter = pydantic.TypeAdapter(model)
    try:
        return adapter.validate_python(value)
    except pydantic.ValidationError as error:
        fault = _most_telling(error.errors())
        location = tuple(part for part in fault["loc"])
        raise ContentError(
            _fault_text(fault, location, model),
            where=f"{path}:{_nearest_line(lines, location)}",
            fix=_fault_fix(fault, location, model),
        ) from error


def _most_telling(faults: Sequence[Any]) -> Any:
    """A misspelt key is also a missing one: its spelling is what helps."""
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def _nearest_line(lines: Lines, location: tuple[str | int, ...]) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _fault_text(fault: Any, location: tuple[str | int, ...], model: Any) -> str:
    dotted = ".".join(str(part) for part in location) or "the document"
    if fault["type"] == "extra_forbidden":
        return f'unknown key "{location[-1]}" (at {dotted})'
    if fault["type"] == "missing":
        return f'missing key "{location[-1]}" (at {dotted})'
    return f"{dotted}: {fault['msg']}"


def _fault_fix(fault: Any, location: tuple[str | int, ...], model: Any) -> str | None:
    if fault["type"] != "extra_forbidden":
        return None
    known = sorted(_field_names(model))
    return near_miss(str(location[-1]), known) or None


def _field_names(model: Any, seen: set[Any] | None = None) -> set[str]:
    """Every field name reachable from a model: enough to suggest a near miss at any depth."""
    from typing import get_args

    seen = set() if seen is None else seen
    if model in seen:
        return set()
    seen.add(model)
    names: set[str] = set()
    for name, field in getattr(model, "model_fields", {}).items():
        names.add(name)
        names |= _field_names(field.annotation, seen)
    for argument in get_args(model):
        names |= _field_names(argument, seen)
    return names


def _syntax_error(path: Path, error: yaml.YAMLError, text: str) -> ContentError:
    mark, position = getattr(error, "problem_mark", None), getattr(error, "position", 0)
    line = mark.line + 1 if mark is not None else text.count("\n", 0, position) + 1
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return ContentError(f"not valid YAML: {problem}", where=f"{path}:{line}", fix="fix the syntax at this line")


class _Reader:
    """Turns YAML nodes into plain values and notes the line of each."""

    def __init__(self, path: Path, lines: Lines, text: str) -> None:
        self.path = path
        self.lines = lines
        self.text = text

    def value(self, node: yaml.Node, at: tuple[str | int, ...]) -> Any:
        self.lines[at] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            self.plain(node)
            return [self.value(item, (*at, index)) for index, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, at: tuple[str | int, ...]) -> dict[str, Any]:
        self.plain(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            key = key_node.value if isinstance(key, (int, float, bool)) else key
            if not isinstance(key, str):
                raise self.fault(key_node, "a key must be plain text", "quote it")
            if key in result:
                raise self.fault(key_node, f'duplicate key "{key}"', "keep one of the two")
            result[key] = self.value(value_node, (*at, key))
            self.lines[(*at, key)] = key_node.start_mark.line + 1
        return result

    def scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        self.plain(node)
        if getattr(node, "style", None) in _QUOTED:
            return text
        if text in _NULL:
            return None
        if text in ("true", "false"):
            return text == "true"
        if text in _LOOKALIKE_BOOLEANS:
            raise self.fault(node, f'"{text}" could be a boolean', f'write true or false, or quote it: "{text}"')
        if len(text) > _LONGEST_NUMBER:
            return text
        if _INTEGER.match(text):
            return int(text)
        return float(text) if _FLOAT.match(text) else text

    def plain(self, node: yaml.Node) -> None:
        """Refuse what stands before a value: ``&anchor``, and with it every alias, and ``!tag``."""
        before = self.text[node.start_mark.index : node.start_mark.index + 1]
        if before == "&":
            raise self.fault(node, "anchors and aliases are not used here", "write the value out")
        if before == "!" or node.tag not in _PLAIN_TAGS:
            raise self.fault(node, f"the tag {node.tag} is not used here", "write a plain value")

    def fault(self, node: yaml.Node, what: str, fix: str) -> ContentError:
        return ContentError(what, where=f"{self.path}:{node.start_mark.line + 1}", fix=fix)
