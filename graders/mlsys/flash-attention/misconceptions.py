"""The mistakes that this grader knows, and what each would have answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from deepfield_cli.grading import Bugs
from graders.kit.attention_oracle import Heads, forward, scores

from .backward_mistakes import Slip, given, slips
from .cases import Case

Strides = tuple[int, ...]
Output = Literal["o", "lse"]


class LogSums(Bugs):
    """Mistakes of the logarithm that is stored for each row, where o is right."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and what lse would be."""
        logits = scores(self._heads)
        top, lse = logits.max(-1), forward(self._heads).lse
        total, base = lse - top, math.log2(math.e)
        found = {
            "lse-base-two": [lse * base, top * base + total, top + total * base],
            "lse-without-max": [total, total * base],
            "lse-is-the-max": [top, top * base],
            "lse-without-logarithm": [np.exp(total), np.exp(np.minimum(lse, 700.0)), top + np.exp(total)],
            "lse-unscaled": [top * self._heads.size**0.5 + total, lse * self._heads.size**0.5],
            "lse-negated": [-lse, top - total],
        }
        for name, answers in found.items():
            for answer in answers:
                yield name, lambda answer=answer: answer


class Backward(Bugs):
    """Mistakes of the backward kernels, as one gradient shows them."""

    def __init__(self, case: Case, known: Sequence[Slip], gradient: str) -> None:
        self._case = case
        self._known = known
        self._gradient = gradient

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and the gradient."""
        for name, answer in slips(self._case.heads, self._case.do, self._known):
            yield name, partial(answer, self._gradient)


class Addresses(Bugs):
    """Mistakes of where things are: the right attention over numbers that lie somewhere else."""

    def __init__(self, case: Case, output: str = "o") -> None:
        self._case = case
        self._output = output

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and outputs."""
        name = "head-and-position-swapped"
        yield name, lambda: self._read(self._swapped)
        yield name, lambda: self._read(self._swapped).swapaxes(1, 2)
        for part in ("q", "k", "v", "d"):
            yield name, lambda part=part: self._read(self._swapped, only=part)
        for only in ("qkvd", "q", "k", "v", "d"):
            yield "strides-ignored", lambda only=only: self._read(lambda own: contiguous(self._case.shape), only=only)
        yield "strides-ignored", lambda: self._read(lambda own: (*own[:3], 1))
        yield "strides-of-q", lambda: self._read(lambda own: strides_of(self._case, 0))

    def _swapped(self, own: Strides) -> Strides:
        return own[0], own[2], own[1], own[3]

    def _read(self, believed: Callable[[Strides], Strides], only: str = "qkvd") -> Any:
        """The output where some of the four are read with other strides than their own; o and lse are not."""
        arrays = {
            name: read(self._case, index, believed(strides_of(self._case, index)))
            for index, name in enumerate("qkvd")
            if name in only
        }
        do = arrays.pop("d", self._case.do)
        heads = replace(self._case.heads, **arrays)
        if self._output == "o":
            return forward(heads).o
        return given(heads, do, self._case.answer.lse, self._case.answer.o)[self._output]


def strides_of(case: Case, index: int) -> Strides:
    """The strides, in elements, that q, k, v or do has when it arrives."""
    step = contiguous(case.shape)
    if case.layouts[index] == "strided":
        return tuple(2 * stride for stride in step)
    return contiguous(case.shape[::-1])[::-1] if case.layouts[index] == "permuted" else step


def contiguous(shape: Sequence[int]) -> Strides:
    """The strides of an array whose numbers lie in order."""
    return tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))


def read(case: Case, index: int, strides: Strides) -> np.ndarray:
    """The array that these strides find in the memory of q, k, v or do; NaN beyond its end."""
    array = (case.heads.q, case.heads.k, case.heads.v, case.do)[index]
    memory = np.full(array.size * (2 if case.layouts[index] == "strided" else 1), np.nan)
    memory[places(array.shape, strides_of(case, index))] = array
    if case.layouts[index] == "strided":
        memory[1::2] = memory[::2]  # the gaps hold the same numbers
    wanted = places(array.shape, strides)
    return np.where(wanted < memory.size, memory[np.minimum(wanted, memory.size - 1)], np.nan)


def places(shape: Sequence[int], strides: Strides) -> np.ndarray:
    """The place in memory of every element."""
    return sum(index * stride for index, stride in zip(np.indices(shape), strides, strict=True))
