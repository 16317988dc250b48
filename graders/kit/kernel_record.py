"""What the counter in the worker told about one call, read in the grader: it comes from the learner's process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepfield_cli.errors import CheckFailed

# torch operators that multiply matrices or normalise rows.
_WORK = re.compile(
    r"aten::_?(mm|bmm|addmm|addbmm|baddbmm|matmul|mv|addmv|addr|dot|vdot|inner|outer|ger|einsum|tensordot|linear"
    r"|bilinear|trilinear|chain_matmul|cdist.*|scaled_mm|int_mm|conv.*|mkldnn.*|linalg.*|.*softmax.*|.*attention.*)"
)
# Operators that make memory, look at it in another way, or copy it. All others compute.
_MOVES = re.compile(
    r"aten::_?(empty.*|zeros.*|ones.*|full.*|new_.*|zero_?|fill_?|clone|copy_?|to_copy|contiguous|detach|alias|lift.*"
    r"|view.*|unsafe_view|reshape.*|as_strided.*|transpose.*|t|permute|movedim|expand|slice|select|narrow|squeeze"
    r"|unsqueeze|unbind|split.*|unsafe_split.*|chunk|cat|stack|constant_pad_nd|pad.*|resize.*|set_|local_scalar_dense)"
)
# Operators by which what a kernel wrote may come to lie elsewhere.
_COPIES = re.compile(r"aten::_?(clone|copy_?|to_copy|contiguous|cat|stack|constant_pad_nd|view_copy|mul|div|add|sum).*")

# What is read of the counts of one tensor.
_TOLD = ("size", "loaded", "stored", "atomics", "kept", "contested")


@dataclass(frozen=True)
class KernelRecord:
    """The traffic of one call, in bytes."""

    launches: int
    loaded: int
    stored: int
    by_kernel: Mapping[str, int]  # loaded and stored together
    tensors: Mapping[str, Mapping[str, int]]
    operators: Mapping[str, int]  # torch operators, how often each ran
    largest_allocation_elements: int
    notes: tuple[str, ...]

    @property
    def moved(self) -> int:
        """Loaded and stored by all kernels."""
        return self.loaded + self.stored

    @property
    def outside(self) -> tuple[int, int]:
        """Loaded and stored where no tensor is."""
        found = self.tensors.get("outside", {})
        return found.get("loaded", 0), found.get("stored", 0)

    @property
    def contested(self) -> int:
        """Bytes that one program stored and another one of the same launch touched."""
        return sum(touched["contested"] for touched in self.tensors.values())

    @property
    def work_of_torch(self) -> list[str]:
        """Operators that multiplied matrices or took a softmax."""
        return sorted(name for name in self.operators if _WORK.fullmatch(_base(name)))

    @property
    def computing_operators(self) -> int:
        """How often torch computed anything at all."""
        return sum(count for name, count in self.operators.items() if not _MOVES.fullmatch(_base(name)))

    def is_from_a_kernel(self, name: str) -> bool:
        """Whether a watched tensor holds what kernels wrote, or a copy that torch made."""
        touched = self.tensors.get(name, {"kept": 0, "size": 1})
        copied = any(_COPIES.fullmatch(_base(operator)) for operator in self.operators)
        return touched["kept"] == touched["size"] or copied


def read(wire: Any) -> KernelRecord:
    """Give the record, or raise CheckFailed: what comes from the worker may be anything."""
    try:
        return KernelRecord(
            launches=len(wire["launches"]),
            loaded=_count(wire["loaded"]),
            stored=_count(wire["stored"]),
            by_kernel={
                _text(name): _count(one["loaded"]) + _count(one["stored"]) for name, one in wire["by_kernel"].items()
            },
            tensors={
                _text(name): {what: _count(one[what]) for what in _TOLD} for name, one in wire["by_tensor"].items()
            },
            operators={_text(name): _count(times) for name, times in wire["operators"].items()},
            largest_allocation_elements=_count(wire["largest_allocation_elements"]),
            notes=tuple(_text(note) for note in wire["unsupported"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise CheckFailed("the count of your kernels' traffic cannot be read", diagnosis="bad-answer") from None


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no count")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("no text")
    return value


def _base(operator: str) -> str:
    """The name of an operator without its overload."""
    return operator.partition(".")[0]
