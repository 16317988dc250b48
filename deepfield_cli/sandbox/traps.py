"""Forbidden calls, caught at run time: the function itself is changed, not the name that leads to it.

Python functions get another body, Python classes another constructor, and torch's operators another kernel in the
dispatcher, which is the lowest level that ``torch.ops``, TorchScript, C++ and every alias have in common.
"""

from __future__ import annotations

import contextlib
import ctypes
import fnmatch
import importlib
import os
import re
import sys
import types
import warnings
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from deepfield_cli.sandbox.channel import CONNECTION_DESCRIPTOR, LENGTH_BYTES
from deepfield_cli.sandbox.recording import RecordingStopped, replace_everywhere
from deepfield_cli.sandbox.wire import encode

# Whoever forbids one of these means all of autograd.
_AUTOGRAD = {"torch.autograd.grad", "torch.autograd.backward"}
# Where operators have kernels of their own. One that stays untrapped would be a way round: x.to_mkldnn() is enough.
_KEYS = ("MkldnnCPU", "SparseCPU", "SparseCsrCPU", "NestedTensorCPU", "QuantizedCPU", "NestedTensorCUDA", "SparseCUDA")


class ForbiddenCall(Exception):
    """The submission called something that the problem's rules exclude."""


class Traps:
    """What one problem forbids, armed in this worker; remembers each violation even if the learner catches it."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self.violations: list[str] = []
        self._rules = rules
        self._recording: RecordingStopped | None = None
        self._modules: set[str] = set()

    def arm(self) -> None:
        """Set every trap whose library is loaded in this process."""
        for rule in self._rules:
            reason = str(rule["reason"])
            if rule.get("call") is not None:
                self._arm_call(str(rule["call"]), reason)
            if rule.get("operators"):
                self._arm_operators([str(pattern) for pattern in rule["operators"]], reason)
            if rule.get("call") in _AUTOGRAD:
                self._stop_recording(reason)
        sys.meta_path.insert(0, _NoSecondCopy(self._modules, self.spring))

    def spring(self, name: str, reason: str) -> None:
        """Tell the grader, note the violation and raise."""
        text = f"{name} may not be used in this problem: {reason}"
        self.violations.append(text)
        _announce(text)
        raise ForbiddenCall(text)

    def _arm_call(self, name: str, reason: str) -> None:
        owner, attribute = _resolve(name)
        if owner is None:
            return
        original = getattr(owner, attribute)
        self._modules.add(str(getattr(original, "__module__", None)))

        def trap(*_arguments: Any, **_keywords: Any) -> Any:
            self.spring(name, reason)

        if isinstance(original, type):
            with contextlib.suppress(TypeError):  # a built-in type cannot be changed: its name can
                original.__init__ = trap  # type: ignore[misc]
                return
        if isinstance(original, types.FunctionType):
            _replace_body(original, trap)
            return
        setattr(owner, attribute, trap)
        replace_everywhere(original, trap)  # random keeps itertools.accumulate under a name of its own, for one

    def _arm_operators(self, patterns: list[str], reason: str) -> None:
        torch = sys.modules.get("torch")
        if torch is None:
            return
        wanted = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))
        # torch.library.Library could be found among all objects and destroyed, and its traps with it. What is under it
        # is no object that the garbage collector lists; one reference to it is left behind for ever.
        library = torch._C._dispatch_library("IMPL", "aten", "", __file__, 1)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(library))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that a kernel is replaced: that is the intention
            for name in filter(wanted.match, torch._C._dispatch_get_all_op_names()):
                trap = self._operator_trap(name, reason)
                has_kernel = partial(torch._C._dispatch_has_computed_kernel_for_dispatch_key, name)
                for key in ("CPU", "CUDA", *filter(has_kernel, _KEYS)):
                    library.impl(name, key, trap, False)

    def _stop_recording(self, reason: str) -> None:
        torch = sys.modules.get("torch")
        if torch is None or self._recording is not None:
            return
        self._recording = RecordingStopped(torch, lambda name: self.spring(name, reason))
        self._recording.close_the_exits(torch)

    def _operator_trap(self, name: str, reason: str) -> Any:
        def trap(*_arguments: Any, **_keywords: Any) -> Any:
            self.spring(name, reason)

        return trap


class _NoSecondCopy:
    """Keeps a module with traps in it from being run again: a second copy of it would have none."""

    def __init__(self, names: Collection[str], spring: Callable[[str, str], None]) -> None:
        self._names = names
        self._spring = spring

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Asked when a module is reloaded, or imported after it was taken out of sys.modules."""
        if name in self._names:
            self._spring(f"a second copy of {name}", "The rules hold for copies too.")


def _announce(text: str, *, write: Callable[[int, bytes], int] = os.write) -> None:
    """Send the violation at once: the list above can be found and cleared before the answer, what was sent is sent."""
    frame = encode({"violations": [text]})
    with contextlib.suppress(OSError):
        write(CONNECTION_DESCRIPTOR, len(frame).to_bytes(LENGTH_BYTES, "little") + frame)


def _resolve(name: str) -> tuple[Any, str]:
    """The object that holds the last part of a dotted name; None where the library is not loaded."""
    parts = name.split(".")
    if parts[0] not in sys.modules:
        return None, parts[-1]
    owner: Any = sys.modules[parts[0]]
    for depth, part in enumerate(parts[1:-1], start=2):
        if not hasattr(owner, part):
            with contextlib.suppress(ImportError):
                importlib.import_module(".".join(parts[:depth]))
        owner = getattr(owner, part, None)
    return (owner, parts[-1]) if owner is not None and hasattr(owner, parts[-1]) else (None, parts[-1])


_TRAPS: dict[str, Any] = {}


def _replace_body(function: types.FunctionType, trap: Any) -> None:
    """Every alias of a Python function leads to the same body, so that is what is replaced."""
    key = f"{function.__module__}.{function.__qualname__}"
    _TRAPS[key] = trap
    source = f"def body(*a, **k):\n    import sys\n    return sys.modules[{__name__!r}]._TRAPS[{key!r}](*a, **k)\n"
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    body = namespace["body"].__code__
    cells = len(function.__code__.co_freevars)
    if cells:
        body = _with_free_variables(function, trap)
        if body is None:
            return
    function.__defaults__ = None
    function.__kwdefaults__ = None
    function.__code__ = body


def _with_free_variables(function: types.FunctionType, trap: Any) -> types.CodeType | None:
    """A body with as many free variables as the function has cells (decorated functions are closures)."""
    names = [f"_cell{index}" for index in range(len(function.__code__.co_freevars))]
    key = f"{function.__module__}.{function.__qualname__}"
    lines = ["def outer():", *[f"    {name} = None" for name in names], "    def body(*a, **k):", "        import sys"]
    lines += [f"        ({', '.join(names)},)", f"        return sys.modules[{__name__!r}]._TRAPS[{key!r}](*a, **k)"]
    lines += ["    return body.__code__"]
    namespace: dict[str, Any] = {}
    exec("\n".join(lines), namespace)
    code = namespace["outer"]()
    return code if isinstance(code, types.CodeType) else None
