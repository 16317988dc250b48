"""What the probe told, read strictly: the submission shares its process and could have sent anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deepfield_cli.grading import CheckFailed

# What is told of every tensor, in bytes; atomics in elements.
_COUNTS = ("size", "loaded", "stored", "distinct_loaded", "distinct_stored", "kept", "contested")


@dataclass(frozen=True)
class Touched:
    """What the kernels did to one tensor, or to what lies outside of every tensor."""

    size: int = 0
    loaded: int = 0
    stored: int = 0
    distinct_loaded: int = 0
    distinct_stored: int = 0
    kept: int = 0
    contested: int = 0


@dataclass(frozen=True)
class Record:
    """One forward pass as the traffic counter saw it.

    Attributes:
        launches: number of kernel launches.
        operators: torch operators that ran beside the kernels.
        notes: what was strange about the interpreter.
        tensors: by names such as "input:0", "parameter:norm.weight", "output:0|other:1" and "outside".

    """

    launches: int
    operators: frozenset[str]
    notes: tuple[str, ...]
    tensors: Mapping[str, Touched]


@dataclass(frozen=True)
class Call:
    """One forward pass: what came back, whether it was plain tensors, what moved, whether the inputs stayed."""

    output: Any
    plain: bool
    record: Record
    unchanged: bool


@dataclass(frozen=True)
class Told:
    """All calls of one model, the first output as it was at the end, and what was left behind."""

    calls: tuple[Call, ...]
    first: Any
    parameters_unchanged: bool
    threads: int
    fault: str = ""
    shown: str = field(default="")


def read(answer: Any, calls: int) -> Told:
    """Read the answer of the probe's `forwards`; raise CheckFailed for what is none."""
    told = _mapping(answer)
    if "fault" in told:
        return Told((), None, True, 0, _typed(told["fault"], str), _typed(told.get("shown"), str))
    listed = _typed(told.get("calls"), list)
    if len(listed) != calls:
        raise _unreadable()
    return Told(
        calls=tuple(_call(one) for one in listed),
        first=told.get("first"),
        parameters_unchanged=_typed(told.get("parameters_unchanged"), bool),
        threads=_typed(told.get("threads"), int),
    )


def _call(answer: Any) -> Call:
    told = _mapping(answer)
    return Call(
        output=told.get("output"),
        plain=_typed(told.get("plain"), bool),
        record=_record(_mapping(told.get("traffic"))),
        unchanged=_typed(told.get("unchanged"), bool),
    )


def _record(told: Mapping[str, Any]) -> Record:
    tensors = {name: _mapping(touched) for name, touched in _mapping(told.get("by_tensor")).items()}
    return Record(
        launches=len(_typed(told.get("launches"), list)),
        operators=frozenset(_texts(_mapping(told.get("operators")))),
        notes=tuple(_texts(_typed(told.get("unsupported"), list))),
        tensors={
            name: Touched(**{count: _typed(touched.get(count), int) for count in _COUNTS})
            for name, touched in zip(_texts(tensors), tensors.values(), strict=True)
        },
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return _typed(value, dict)  # type: ignore[no-any-return]


def _texts(values: Iterable[Any]) -> list[str]:
    return [_typed(value, str) for value in values]


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise _unreadable()
    return value


def _unreadable() -> CheckFailed:
    return CheckFailed("what was told about your kernels cannot be read", diagnosis="bad-answer")
