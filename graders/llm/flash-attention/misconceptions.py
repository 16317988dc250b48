"""The mistakes that this grader knows, and what each would have answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs
from graders.kit.attention_oracle import forward

from . import oracle
from .cases import Case

Strides = tuple[int, ...]


class Addresses(Bugs):
    """Mistakes of where things are: the right attention over numbers that lie somewhere else."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and outputs."""
        name = "head-and-position-swapped"
        yield name, lambda: self._read(self._swapped)
        yield name, lambda: self._read(self._swapped).swapaxes(1, 2)
        for part in ("q", "k", "v"):
            yield name, lambda part=part: self._read(self._swapped, only=part)
        yield "strides-ignored", lambda: self._read(lambda own: contiguous(self._case.shape))
        yield "strides-ignored", lambda: self._read(lambda own: (*own[:3], 1))
        yield "strides-of-q", lambda: self._read(lambda own: strides_of(self._case, 0))

    def _swapped(self, own: Strides) -> Strides:
        return own[0], own[2], own[1], own[3]

    def _read(self, believed: Callable[[Strides], Strides], only: str = "qkv") -> Any:
        """The output where some of the three are read with other strides than their own."""
        arrays = {
            name: read(self._case, index, believed(strides_of(self._case, index)))
            for index, name in enumerate("qkv")
            if name in only
        }
        return forward(replace(self._case.heads, **arrays)).o


def strides_of(case: Case, index: int) -> Strides:
    """The strides, in elements, that q, k or v has when it arrives."""
    step = contiguous(case.shape)
    if case.layouts[index] == "strided":
        return tuple(2 * stride for stride in step)
    return contiguous(case.shape[::-1])[::-1] if case.layouts[index] == "permuted" else step


def contiguous(shape: Sequence[int]) -> Strides:
    """The strides of an array whose numbers lie in order."""
    return tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))


def read(case: Case, index: int, strides: Strides) -> np.ndarray:
    """The array that these strides find in the memory of q, k or v; NaN beyond its end."""
    array = (case.heads.q, case.heads.k, case.heads.v)[index]
    memory = np.full(array.size * (2 if case.layouts[index] == "strided" else 1), np.nan)
    memory[places(array.shape, strides_of(case, index))] = array
    if case.layouts[index] == "strided":
        memory[1::2] = memory[::2]  # the gaps hold the same numbers
    wanted = places(array.shape, strides)
    return np.where(wanted < memory.size, memory[np.minimum(wanted, memory.size - 1)], np.nan)


def places(shape: Sequence[int], strides: Strides) -> np.ndarray:
    """The place in memory of every element."""
    return sum(index * stride for index, stride in zip(np.indices(shape), strides, strict=True))


class Blocks(Bugs):
    """Mistakes around the kernel, in attention_block."""

    def __init__(self, inputs: oracle.Inputs) -> None:
        self._inputs = inputs

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and outputs."""
        for name in oracle.BLOCK_MISTAKES:
            yield name.partition("/")[0], lambda name=name: oracle.block(self._inputs, name)
