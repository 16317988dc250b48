"""What the counter in the worker told about one call, and what may be demanded of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from deepfield_cli.grading import CheckFailed, expect

# A multiprocessor has 65,536 registers of 32 bits: a block with more elements fits on no GPU.
LARGEST_BLOCK = 65_536
# Torch may allocate, fill with one number, and look at a tensor in another way. All else moves data or computes.
_ALLOWED = (
    "empty*", "new_empty*", "zeros*", "new_zeros*", "ones*", "new_ones*", "full*", "new_full*", "fill*", "zero*",
    "view*", "_unsafe_view", "reshape", "_reshape_alias", "as_strided", "t", "transpose*", "permute", "swapaxes",
    "expand*", "slice*", "select*", "narrow", "unsqueeze", "squeeze*", "detach", "alias", "lift_fresh", "unbind*",
    "split*", "unflatten", "flatten", "movedim", "numpy_T", "adjoint", "is_*", "size*", "stride*", "sym_*", "numel",
)  # fmt: skip
_COPIES = ("clone", "copy*", "_to_copy", "contiguous", "to", "index*", "cat", "*pad*", "lift*", "_copy*", "resolve*")


@dataclass(frozen=True)
class Touched:
    """Bytes, as graders/kit/storages.py counts them."""

    size: int = 0
    loaded: int = 0
    stored: int = 0
    atomics: int = 0
    distinct_loaded: int = 0
    distinct_stored: int = 0
    kept: int = 0
    contested: int = 0
    beyond: int = 0


@dataclass(frozen=True)
class Movement:
    """The traffic of one call: of the inputs ("in0", "in1"), the answer ("out") and whatever lies outside of both."""

    launches: int
    loaded: int
    stored: int
    largest_block: int
    tensors: Mapping[str, Touched]
    operators: tuple[str, ...]
    notes: tuple[str, ...]

    def of(self, name: str) -> Touched:
        """What was done to a tensor; one that is argument and answer at once is told under both names."""
        found = (touched for names, touched in self.tensors.items() if name in names.split("|"))
        return next(found, Touched())

    @property
    def outside(self) -> Touched:
        return self.of("outside")


def read(wire: Any) -> Movement:
    """The worker's word, which may be anything."""
    try:
        return Movement(
            launches=len(wire["launches"]),
            loaded=_count(wire["loaded"]),
            stored=_count(wire["stored"]),
            largest_block=_count(wire["largest_block"]),
            tensors={_text(name): _touched(given) for name, given in wire["by_tensor"].items()},
            operators=tuple(_text(name) for name in wire["operators"]),
            notes=tuple(_text(note) for note in wire["unsupported"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise CheckFailed("the count of your kernels' traffic cannot be read", diagnosis="bad-answer") from None


def _touched(given: Any) -> Touched:
    return Touched(**{field.name: _count(given[field.name]) for field in fields(Touched)})


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no count")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("no text")
    return value


def expect_kernels_alone(operators: tuple[str, ...], what: str) -> None:
    """Torch allocated and looked, and no more."""
    ran = [name.removeprefix("aten::") for name in operators]
    others = sorted(name for name in ran if not _matches(name, _ALLOWED))
    copies = [name for name in others if _matches(name, _COPIES)]
    told = ", ".join(f"aten::{name}" for name in others)
    expect(
        len(others) == len(copies),
        f"{what} lets torch compute",
        expected="torch operators that allocate or make views",
        actual=told,
        diagnosis="torch-computes",
    )
    expect(
        not others,
        f"{what} lets torch copy data beside the kernel",
        expected="torch operators that allocate or make views",
        actual=told,
        diagnosis="torch-copies",
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def expect_nothing_outside(movement: Movement, what: str) -> None:
    """No lane that is not masked points outside of the tensors; the inputs' surroundings count as outside."""
    outside = movement.outside
    expect(
        outside.stored == 0,
        f"{what} stores {outside.stored} bytes outside of every tensor",
        expected="a mask on each store, or a checked boundary",
        diagnosis="stores-over-the-edge",
    )
    beyond = outside.loaded + movement.of("in0").beyond + movement.of("in1").beyond
    expect(
        beyond == 0,
        f"{what} loads {beyond} bytes that belong to none of its arguments",
        expected="a mask on each load, or a checked boundary",
        diagnosis="loads-over-the-edge",
    )


def expect_made_by_kernels(movement: Movement, what: str) -> None:
    """A kernel ran, and what is in the answer is what kernels stored there."""
    expect(
        not movement.notes,
        f"{what} ran in an interpreter that was changed",
        actual="; ".join(movement.notes)[:500],
        diagnosis="no-kernel-wrote-it",
    )
    expect(movement.launches > 0, f"{what} launched no kernel", diagnosis="no-kernel-wrote-it")
    out = movement.of("out")
    expect(
        out.kept == out.size > 0,
        f"{what}: the answer does not hold what a kernel stored",
        expected=f"{out.size} bytes as a kernel left them",
        actual=f"{out.kept} bytes",
        diagnosis="no-kernel-wrote-it",
    )
