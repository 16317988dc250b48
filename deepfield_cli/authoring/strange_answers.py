"""Answers that no author expects, in place of a right one.

This file is laid beside a shipped solution and runs in the worker: ``replace(globals(), "Tokenizer.encode", "None")``
makes that one function answer strangely, and ``watch`` only says when a function is called. Both hold for calls from
outside alone: among themselves the solution's functions go on as before, so that what is strange reaches the suite.
Standard library only; numpy and torch where the problem has them.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

# Printed at the first call of a function, so that the grader's side knows which checks reach it, and after its answer,
# with the changes that apply to it.
REACHED, APPLICABLE = "deepfield-reached:", "deepfield-applicable:"
SEPARATOR = "|"
_IN_TORCH, _IN_NUMPY, _ONE_ARRAY = "tensor", "array", "an array of one axis"


_FOLDER = os.path.dirname(os.path.abspath(__file__))


class _Odd:
    """A value of a type that nobody asked for."""


def _itself() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def _raise(error: BaseException) -> Any:
    raise error


def _numpy() -> Any:
    return importlib.import_module("numpy")


def _torch() -> Any:
    return importlib.import_module("torch")


# What a function may answer whatever it was asked. None of these may pass, and none may break a check.
ANSWERS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "0": lambda: 0,
    "-1": lambda: -1,
    "True": lambda: True,
    "a huge integer": lambda: 10**400,
    "nan": lambda: float("nan"),
    "empty text": lambda: "",
    "text": lambda: "x",
    "a lone surrogate": lambda: "\ud800",
    "bytes": lambda: b"\xff",
    "an empty list": list,
    "a list of nothing": lambda: [None, None, None],
    "a list within a list": lambda: [[1], [[2]], 3],
    "a list that holds itself": _itself,
    "an empty dict": dict,
    "a dict of wrong types": lambda: {1: None, "x": _Odd(), (2, 3): []},
    "an empty tuple": tuple,
    "a tuple of two": lambda: (None, None),
    "a tuple of three": lambda: (_Odd(), "x", float("nan")),
    "a tuple within a tuple": lambda: (((1,), 2), ((),)),
    "an object": _Odd,
    "a class": lambda: _Odd,
    "a function": lambda: _raise,
    "an endless generator": lambda: itertools.repeat(None),
    "an array of no axis": lambda: _numpy().zeros(()),
    "an array of one axis": lambda: _numpy().ones(3),
    "an array of three axes": lambda: _numpy().ones((2, 3, 2), dtype=_numpy().int64),
    "an empty array": lambda: _numpy().ones((0, 4)),
    "an array of objects": lambda: _numpy().array([None, "x"], dtype=object),
    "an array of complex numbers": lambda: _numpy().ones((2, 2), dtype=complex),
    "a tensor of no axis": lambda: _torch().zeros(()),
    "a tensor of one axis": lambda: _torch().ones(3),
    "a tensor of three axes": lambda: _torch().ones(2, 3, 2),
    "an empty tensor": lambda: _torch().ones(0, 4),
    "a tensor of truths": lambda: _torch().ones(2, 2, dtype=_torch().bool),
    "a ValueError": lambda: _raise(ValueError("strange")),
    "a StopIteration": lambda: _raise(StopIteration()),
}

_NOT_APPLICABLE = object()


def _first(item: Any) -> Callable[[Any], Any]:
    return lambda answer: _with_item(answer, 0, item)


def _last(item: Any) -> Callable[[Any], Any]:
    return lambda answer: _with_item(answer, -1, item)


def _with_item(answer: Any, index: int, item: Any) -> Any:
    """The same container with one item replaced."""
    if type(answer) not in (list, tuple, dict) or not answer:
        return _NOT_APPLICABLE
    if isinstance(answer, dict):
        key = list(answer)[index]
        return {**answer, key: item}
    items = list(answer)
    items[index] = item
    return type(answer)(items)


def _shortened(answer: Any) -> Any:
    if type(answer) not in (list, tuple, dict, str, bytes) or not answer:
        return _NOT_APPLICABLE
    return dict(list(answer.items())[:-1]) if isinstance(answer, dict) else answer[:-1]


def _lengthened(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {**answer, "one more": None}
    return answer + answer[:1] if type(answer) in (list, tuple, str, bytes) and answer else _NOT_APPLICABLE


def _other_kind(answer: Any) -> Any:
    """A close relative: list and tuple, text and bytes, integer and float exchanged."""
    if type(answer) is str:
        return answer.encode("utf-8", "surrogatepass")
    if type(answer) is bytes:
        return answer.decode("latin-1")
    relatives: dict[type, Callable[[Any], Any]] = {list: tuple, tuple: list, int: float, float: str}
    return relatives[type(answer)](answer) if type(answer) in relatives else _NOT_APPLICABLE


def _in_array(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change the first array of an answer, wherever it stands."""

    def changed(answer: Any) -> Any:
        if hasattr(answer, "shape") and hasattr(answer, "reshape"):
            return change(answer)
        if type(answer) not in (list, tuple, dict):
            return _NOT_APPLICABLE
        pairs = list(answer.items()) if isinstance(answer, dict) else list(enumerate(answer))
        for index, (_, item) in enumerate(pairs[:8]):
            new = changed(item)
            if new is not _NOT_APPLICABLE:
                return _with_item(answer, index, new)
        return _NOT_APPLICABLE

    return changed


# What may become of a right answer. None of these may break a check; a lenient suite may let one pass.
CHANGES: dict[str, Callable[[Any], Any]] = {
    "the right answer, its first item None": _first(None),
    "the right answer, its first item text": _first("x"),
    "the right answer, its first item an object": _first(_Odd()),
    "the right answer, its last item nan": _last(float("nan")),
    "the right answer, its last item a list": _last([None]),
    "the right answer, one item short": _shortened,
    "the right answer, one item too long": _lengthened,
    "the right answer in a list": lambda answer: [answer],
    "the right answer as text": str,
    "the right answer as a close relative": _other_kind,
    "the right answer, an array filled with nan": _in_array(lambda array: array * float("nan")),
    "the right answer, an array with one axis more": _in_array(lambda array: array.reshape((1, *array.shape))),
    "the right answer, an array flattened": _in_array(lambda array: array.reshape((-1,))),
    "the right answer, an array emptied": _in_array(lambda array: array.reshape((-1,))[:0]),
    "the right answer, an array made complex": _in_array(lambda array: array * 1j),
}


def names(modules: tuple[str, ...]) -> list[str]:
    """The strange answers that are worth trying in a problem with these preloaded modules."""
    every = [*ANSWERS, *CHANGES]
    if "torch" in modules:
        return every
    no_tensors = [name for name in every if _IN_TORCH not in name]
    if "numpy" in modules:
        return no_tensors
    # importing numpy in every worker takes its time: one array is enough where nobody expects any
    return [name for name in no_tensors if _IN_NUMPY not in name or name == _ONE_ARRAY]


def replace(namespace: dict[str, Any], target: str, name: str) -> None:
    """Make one function of a submission answer strangely to whoever calls it from outside."""

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not _from_outside():
                return original(*args, **kwargs)
            if name in ANSWERS:
                return ANSWERS[name]()
            answer = original(*args, **kwargs)
            strange = CHANGES[name](answer)
            return answer if strange is _NOT_APPLICABLE else strange

        return call

    _put(namespace, target, wrapped)


def watch(namespace: dict[str, Any], target: str) -> None:
    """Let a function work as before, and say once that it was called from outside, and which changes apply to it."""

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        silent = itertools.chain([False], itertools.repeat(True))

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not _from_outside() or next(silent):
                return original(*args, **kwargs)
            print(REACHED + target, flush=True)
            answer = original(*args, **kwargs)
            print(
                APPLICABLE + SEPARATOR.join([target, *filter(lambda name: _applies(name, answer), CHANGES)]), flush=True
            )
            return answer

        return call

    _put(namespace, target, wrapped, keep_classes=True)


def _applies(name: str, answer: Any) -> bool:
    try:
        return CHANGES[name](answer) is not _NOT_APPLICABLE
    except Exception:  # noqa: BLE001 - an array of a kind that cannot be changed so
        return False


def _from_outside() -> bool:
    """Whether the function that asks was called by something else than the solution's own files."""
    return not sys._getframe(2).f_code.co_filename.startswith(_FOLDER + os.sep)


def _put(
    namespace: dict[str, Any],
    target: str,
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]],
    *,
    keep_classes: bool = False,
) -> None:
    """Put a wrapped function where the target stands, whatever kind of thing it is there; a class may stay a class."""
    *path, last = target.split(".")
    if not path:
        original = namespace[last]
        if keep_classes and inspect.isclass(original):
            _put_constructor(original, wrap)
        else:
            namespace[last] = wrap(original)
        return
    owner: Any = namespace[path[0]]
    for part in path[1:]:
        owner = getattr(owner, part)
    found = inspect.getattr_static(owner, last, None)
    if isinstance(found, staticmethod | classmethod):
        setattr(owner, last, type(found)(wrap(found.__func__)))
    elif callable(found):
        setattr(owner, last, wrap(found))
    else:
        setattr(owner, last, _attribute(found, last, wrap))


def _put_constructor(made: Any, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wrap what gets the arguments of a call to the class: a named tuple, say, has no ``__init__`` of its own."""
    if made.__init__ is object.__init__ and made.__new__ is not object.__new__:
        made.__new__ = staticmethod(wrap(made.__new__))
    else:
        made.__init__ = wrap(made.__init__)


def _attribute(found: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> property:
    """A property in place of a property, of a class's value, or of what an instance sets for itself."""
    hidden = f"_{name}_behind_deepfield"

    def read(instance: Any) -> Any:
        if isinstance(found, property) and found.fget is not None:
            return found.fget(instance)
        return getattr(instance, hidden, found)

    return property(wrap(read), lambda instance, value: setattr(instance, hidden, value))
