"""How many bytes the kernels of a submission move, counted in Triton's interpreter: the same answer on any machine.

A probe uses it inside the worker:

    with traffic.counting() as record:
        traffic.watch(x=x)
        y = module.softmax(x)
        traffic.watch(y=y)
    return y, record.as_wire()

It counts what a kernel loads and stores while the interpreter runs it; masked lanes move nothing. Which torch operators
ran beside the kernels is counted too. The submission runs in the same process: a submission that wants to could lie to
this record. The cheap lies show: ``kept`` of an output that numpy or torch wrote is 0, and ``notes`` names a hook that
was replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from graders.kit.interpreter_hooks import InterpreterHooks
from graders.kit.storages import OUTSIDE, Storages, Touched
from graders.kit.torch_operators import OperatorLog

_COUNTING: ContextVar[Record | None] = ContextVar("counting", default=None)


@dataclass(frozen=True)
class Launch:
    """One launch of one kernel; the grid is filled up with ones to three numbers."""

    kernel: str
    grid: tuple[int, ...]


@dataclass
class Moved:
    """Bytes that a kernel loaded and stored (an atomic does both), and how many elements it updated by atomics."""

    loaded: int = 0
    stored: int = 0
    atomics: int = 0


@dataclass
class Record:
    """What happened between the beginning and the end of ``counting()``."""

    launches: list[Launch] = field(default_factory=list)
    by_kernel: dict[str, Moved] = field(default_factory=dict)
    # Elements of the largest block that was loaded or stored at once, masked lanes included.
    largest_block: int = 0
    # What was seen and could not be understood, or should not be there. Empty for honest code.
    notes: list[str] = field(default_factory=list)
    _storages: Storages = field(default_factory=Storages)
    _operators: OperatorLog = field(default_factory=OperatorLog)

    @property
    def bytes_loaded(self) -> int:
        return sum(moved.loaded for moved in self.by_kernel.values())

    @property
    def bytes_stored(self) -> int:
        return sum(moved.stored for moved in self.by_kernel.values())

    @property
    def by_tensor(self) -> dict[str, Touched]:
        """For every watched tensor, and every other that a kernel touched, what was done to it."""
        return self._storages.report()

    @property
    def operators(self) -> dict[str, int]:
        """The torch operators that ran, with how often. What the interpreter itself runs is not among them."""
        return dict(self._operators.counts)

    @property
    def largest_allocation_bytes(self) -> int:
        return self._operators.largest_bytes

    @property
    def largest_allocation_elements(self) -> int:
        return self._operators.largest_elements

    @property
    def allocated_bytes(self) -> int:
        """All memory that torch operators asked for, also what was given back again."""
        return self._operators.allocated_bytes

    def watch(self, **tensors: Any) -> None:
        """Call the storages of these tensors by these names."""
        for name, tensor in tensors.items():
            self._storages.name(name, tensor)

    def as_wire(self) -> dict[str, Any]:
        """The record as plain values."""
        return {
            "launches": [[launch.kernel, list(launch.grid)] for launch in self.launches],
            "loaded": self.bytes_loaded,
            "stored": self.bytes_stored,
            "by_kernel": {name: asdict(moved) for name, moved in self.by_kernel.items()},
            "by_tensor": {name: asdict(touched) for name, touched in self.by_tensor.items()},
            "largest_block": self.largest_block,
            "largest_allocation_bytes": self.largest_allocation_bytes,
            "largest_allocation_elements": self.largest_allocation_elements,
            "allocated_bytes": self.allocated_bytes,
            "operators": self.operators,
            "unsupported": list(self.notes),
        }

    # ---- what the hooks tell ----

    def launched(self, kernel: str, grid: tuple[int, ...]) -> None:
        self.launches.append(Launch(kernel, grid))
        self.by_kernel.setdefault(kernel, Moved())

    def moved(self, *, block: int, loaded: int = 0, stored: int = 0, atomics: int = 0) -> None:
        self.largest_block = max(self.largest_block, block)
        moved = self.by_kernel.setdefault(self.launches[-1].kernel, Moved())
        moved.loaded += loaded
        moved.stored += stored
        moved.atomics += atomics


@contextmanager
def counting(*, fence: bool = False) -> Iterator[Record]:
    """Count the traffic of all kernels that run inside the block.

    With ``fence``, lanes that point outside of every known tensor are not executed: loads give all bits one (NaN, -1)
    and stores do nothing. Without it they are executed as Triton would. Both times they are counted, as "outside".
    Known are the arguments of the launches, the watched tensors, and all that torch allocates inside the block.

    Raises RuntimeError where Triton runs without its interpreter, or is a version whose interpreter this does not know.
    """
    if _COUNTING.get() is not None:
        raise RuntimeError("traffic is being counted already: counting() does not nest")
    record = Record()
    hooks = InterpreterHooks(record, record._storages, record._operators, fence=fence)
    token = _COUNTING.set(record)
    try:
        with hooks.installed(), record._operators.listening(record._storages):
            yield record
    finally:
        _COUNTING.reset(token)


def watch(**tensors: Any) -> None:
    """Inside ``counting()``: call the storages of these tensors by these names."""
    record = _COUNTING.get()
    if record is None:
        raise RuntimeError("watch() belongs inside counting()")
    record.watch(**tensors)


__all__ = ["OUTSIDE", "Launch", "Moved", "Record", "Touched", "counting", "watch"]
