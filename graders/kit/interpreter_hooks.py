"""Where Triton's interpreter touches memory: the hooks of the traffic counter, for the pinned version."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from graders.kit.storages import Storages
from graders.kit.torch_operators import OperatorLog

# What is replaced while counting: attribute of triton.runtime.interpreter → its parameters (None: written in C++).
_EXPECTED: dict[str, tuple[str, ...] | None] = {
    "GridExecutor.__call__": ("self", "args_dev", "kwargs"),
    "GridExecutor._init_args_hst": ("self", "args_dev", "kwargs"),
    "GridExecutor._restore_args_dev": ("self", "args_dev", "args_hst", "kwargs", "kwargs_hst"),
    "InterpreterBuilder.set_grid_dim": ("self", "nx", "ny", "nz"),
    "InterpreterBuilder.set_grid_idx": ("self", "x", "y", "z"),
    "InterpreterBuilder.create_load": ("self", "ptr", "_0", "_1", "is_volatile"),
    "InterpreterBuilder.create_store": ("self", "ptr", "val", "_0", "_1"),
    "_interpreter.load": None,
    "_interpreter.store": None,
    "_interpreter.atomic_rmw": None,
    "_interpreter.atomic_cas": None,
}


class Listener(Protocol):
    """Who is told about launches and bytes."""

    notes: list[str]

    def launched(self, kernel: str, grid: tuple[int, ...]) -> None: ...

    def moved(self, *, block: int, loaded: int = 0, stored: int = 0, atomics: int = 0) -> None: ...


class InterpreterHooks:
    """Replaces the interpreter's accesses to memory by ones that are counted, for a while."""

    def __init__(self, listener: Listener, storages: Storages, operators: OperatorLog, *, fence: bool) -> None:
        self._listener = listener
        self._storages = storages
        self._operators = operators
        self._fence = fence
        self._running: str | None = None  # the name of the kernel that runs now

    @contextmanager
    def installed(self) -> Iterator[None]:
        interpreter = known_interpreter()
        self._note_strangers(interpreter)
        executor, builder = interpreter.GridExecutor, interpreter.InterpreterBuilder
        changes = [
            (executor, "__call__", self._call(executor.__call__)),
            (executor, "_init_args_hst", self._arguments_to_host(executor._init_args_hst, interpreter)),
            (executor, "_restore_args_dev", self._silently(executor._restore_args_dev)),
            (builder, "set_grid_dim", self._grid(builder.set_grid_dim)),
            (builder, "set_grid_idx", self._program(builder.set_grid_idx)),
            (interpreter, "_interpreter", CountedMemory(interpreter._interpreter, self)),
        ]
        originals = [getattr(owner, name) for owner, name, _ in changes]
        for owner, name, hook in changes:
            setattr(owner, name, hook)
        try:
            self._try_out(interpreter)
            yield
        finally:
            for (owner, name, hook), original in zip(changes, originals, strict=True):
                if getattr(owner, name) is not hook:
                    self._listener.notes.append(f"{name} of Triton's interpreter was replaced while it was counted")
                setattr(owner, name, original)

    # ---- launches ----

    def _call(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(executor: Any, *args: Any, **kwargs: Any) -> Any:
            self._running = str(executor.fn.__name__)
            try:
                return original(executor, *args, **kwargs)
            finally:
                self._running = None

        return call

    def _arguments_to_host(self, original: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
        def to_host(executor: Any, args_dev: Any, kwargs: Any) -> Any:
            with self._operators.silent():
                hosts = original(executor, args_dev, kwargs)
            pairs = zip(_leaves((args_dev, kwargs), interpreter), _leaves(hosts, interpreter), strict=True)
            for device, host in pairs:
                self._storages.pair(device, host)
            return hosts

        return to_host

    def _silently(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def restore(*args: Any) -> Any:
            with self._operators.silent():
                return original(*args)

        return restore

    def _grid(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def set_grid_dim(builder: Any, nx: int, ny: int, nz: int) -> None:
            if self._running is not None:
                self._listener.launched(self._running, (int(nx), int(ny), int(nz)))
                self._storages.programs.first = self._storages.programs.now + 1
            original(builder, nx, ny, nz)

        return set_grid_dim

    def _program(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def set_grid_idx(builder: Any, x: int, y: int, z: int) -> None:
            self._storages.programs.now += 1
            original(builder, x, y, z)

        return set_grid_idx

    # ---- memory ----

    def load(self, original: Callable[..., Any], pointers: Any, mask: Any, other: Any, dtype: Any) -> Any:
        itemsize = np.dtype(dtype).itemsize
        addresses, fenced = self._active(pointers, mask, itemsize)
        result = original(pointers, mask if fenced is None else mask & ~fenced, other, dtype)
        self._storages.loads(addresses, itemsize)
        self._listener.moved(block=pointers.size, loaded=addresses.size * itemsize)
        if fenced is not None:
            result = _poisoned(result, fenced)
        return result

    def store(self, original: Callable[..., Any], pointers: Any, value: Any, mask: Any) -> Any:
        itemsize = value.dtype.itemsize
        addresses, fenced = self._active(pointers, mask, itemsize)
        result = original(pointers, value, mask if fenced is None else mask & ~fenced)
        self._storages.stores(addresses, itemsize)
        self._listener.moved(block=pointers.size, stored=addresses.size * itemsize)
        return result

    def atomic_rmw(self, original: Callable[..., Any], kind: Any, pointers: Any, *rest: Any) -> Any:
        value, mask, order = rest
        addresses, fenced = self._active(pointers, mask, value.dtype.itemsize)
        result = original(kind, pointers, value, mask if fenced is None else mask & ~fenced, order)
        self._count_atomics(addresses, pointers.size, value.dtype.itemsize)
        return result

    def atomic_cas(self, original: Callable[..., Any], pointers: Any, compared: Any, value: Any, order: Any) -> Any:
        addresses, fenced = self._active(pointers, np.ones_like(pointers, dtype=bool), value.dtype.itemsize)
        self._count_atomics(addresses, pointers.size, value.dtype.itemsize)
        if fenced is not None:
            return np.zeros_like(value)  # it has no mask: none of the lanes is executed
        return original(pointers, compared, value, order)

    def counts_now(self) -> bool:
        """Only what a kernel does counts."""
        return self._running is not None

    def _active(self, pointers: Any, mask: Any, itemsize: int) -> tuple[Any, Any]:
        """The addresses of the lanes that are not masked, and which lanes the fence keeps out (None: no lane)."""
        active = np.broadcast_to(np.asarray(mask, dtype=bool), pointers.shape)
        addresses = pointers[active].reshape(-1)
        if not self._fence or self._storages.inside(addresses, itemsize).all():
            return addresses, None
        return addresses, active & ~self._storages.inside(pointers, itemsize)

    def _count_atomics(self, addresses: Any, block: int, itemsize: int) -> None:
        self._storages.atomics(addresses, itemsize)
        moved = addresses.size * itemsize
        self._listener.moved(block=block, loaded=moved, stored=moved, atomics=addresses.size)

    # ---- is everything where it should be? ----

    def _try_out(self, interpreter: Any) -> None:
        """Load and store one number as a kernel would: if that is not seen, nothing would be."""
        seen: list[str] = []
        memory = interpreter._interpreter
        memory.trial = seen.append
        cell = np.array([7], dtype=np.int64)
        kind = interpreter.tl.pointer_type(interpreter.tl.int64)
        pointer = interpreter.TensorHandle(np.array([cell.ctypes.data], dtype=np.uint64), kind)
        builder = interpreter.InterpreterBuilder()
        value = builder.create_load(pointer, None, None, False)
        builder.create_store(pointer, interpreter.TensorHandle(value.data + 1, value.dtype), None, None)
        memory.trial = None
        if seen != ["load", "store"] or int(cell[0]) != 8:
            raise RuntimeError(_moved("create_load and create_store no longer use _interpreter.load and .store"))

    def _note_strangers(self, interpreter: Any) -> None:
        """Functions of the interpreter that are not from its own file were put there by the submission."""
        for path in _EXPECTED:
            found = _resolve(interpreter, path)
            code = getattr(found, "__code__", None)
            native = type(found).__name__ == "builtin_function_or_method"
            if not native and (code is None or code.co_filename != interpreter.__file__):
                self._listener.notes.append(f"{path} of Triton's interpreter was replaced before it was counted")


class CountedMemory:
    """Stands in for the interpreter's C++ module; passes everything on, and tells the hooks."""

    def __init__(self, original: Any, hooks: InterpreterHooks) -> None:
        self._original = original
        self._hooks = hooks
        self.trial: Callable[[str], None] | None = None

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._original, name)
        if name not in ("load", "store", "atomic_rmw", "atomic_cas"):
            return original
        if self.trial is not None:
            self.trial(name)
        if not self._hooks.counts_now():
            return original
        hook = getattr(self._hooks, name)
        return lambda *args: hook(original, *args)


def known_interpreter() -> Any:
    """Triton's interpreter; RuntimeError where it is off, or not the one that the hooks were written for."""
    try:
        import triton
        from triton.runtime import interpreter
    except ImportError as error:
        raise RuntimeError(f"the traffic counter needs Triton with its interpreter: {error}") from error
    if not triton.knobs.runtime.interpret:
        raise RuntimeError("the traffic counter needs TRITON_INTERPRET=1 in the environment before triton is imported")
    for path, parameters in _EXPECTED.items():
        found = _resolve(interpreter, path)
        if found is None:
            raise RuntimeError(_moved(f"triton.runtime.interpreter has no {path}"))
        if parameters is not None and tuple(inspect.signature(found).parameters) != parameters:
            raise RuntimeError(_moved(f"{path} takes {inspect.signature(found)}"))
    return interpreter


def _moved(what: str) -> str:
    import triton

    return (
        f"Triton {triton.__version__} has moved what the traffic counter hooks into: {what}. "
        "Install the version that constraints.txt pins, or adapt graders/kit/interpreter_hooks.py"
    )


def _resolve(owner: Any, path: str) -> Any:
    for name in path.split("."):
        owner = getattr(owner, name, None)
    return owner


def _leaves(value: Any, interpreter: Any) -> Iterator[Any]:
    """The tensors among the arguments of a launch."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, interpreter)
    elif isinstance(value, interpreter.TensorDescriptor):
        yield from _leaves(value.base, interpreter)
    elif hasattr(value, "data_ptr"):
        yield interpreter._unwrap_tensor(value)


def _poisoned(result: Any, fenced: Any) -> Any:
    """All bits one: NaN in every float format, -1 in every signed integer."""
    result = np.array(result)
    bits = result.view(np.dtype(f"u{result.dtype.itemsize}"))
    bits[np.broadcast_to(fenced, bits.shape)] = np.iinfo(bits.dtype).max
    return result
