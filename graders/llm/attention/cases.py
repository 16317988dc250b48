"""The inputs of the checks, drawn so that every known mistake gives an answer of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepfield_cli.grading import Tensor

from . import oracle

# n_heads and the size of a head: never equal, and neither the square of the other, so that no two wrong scales agree.
HEADS_AND_SIZES = ((2, 5), (2, 7), (3, 5), (3, 7), (5, 3))
# Batch, positions, n_heads, size of a head: each row has a size that a common short cut gets wrong.
EDGES = ((1, 1, 2, 3), (3, 1, 1, 4), (1, 6, 3, 5), (2, 7, 1, 5), (2, 5, 4, 1))


@dataclass(frozen=True)
class Case:
    """One draw: the arguments of both functions, in the dtype in which they are sent."""

    inputs: oracle.Inputs
    dy: np.ndarray

    @property
    def dtype(self) -> str:
        """The dtype that the answers must have."""
        return str(self.inputs.x.dtype)

    def arguments(self, layout: str = "contiguous") -> list[Any]:
        """The six arguments of attention_forward as they are sent."""
        arrays = (self.inputs.x, self.inputs.w_qkv, self.inputs.b_qkv, self.inputs.w_out, self.inputs.b_out)
        return [*(Tensor(array, layout=layout) for array in arrays), self.inputs.n_heads]


def draw(
    rng: np.random.Generator, batch: int, length: int, heads: int, size: int, dtype: str, gain: float = 1.0
) -> Case:
    """Draw a case whose scores have a spread near 1: weights neither uniform nor one-hot, and little rounding."""
    width = heads * size
    drawn = (
        _spread(rng, batch, length, width),
        _spread(rng, width, 3 * width) * gain * width**-0.5,
        _spread(rng, 3 * width) * 0.5,
        _spread(rng, width, width) * width**-0.5,
        _spread(rng, width) * 0.5,
        _spread(rng, batch, length, width),
    )
    x, w_qkv, b_qkv, w_out, b_out, dy = (array.astype(dtype) for array in drawn)
    return Case(oracle.Inputs(x, w_qkv, b_qkv, w_out, b_out, heads), dy)


def _spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw with mean 0 and variance 1; uniform, because a normal's tails make draws that round badly."""
    return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)


def draw_telling(rng: np.random.Generator, dtype: str) -> Case:
    """Draw sizes that are all different, with several heads and sequences: no two mistakes give the same answer."""
    heads, size = HEADS_AND_SIZES[rng.integers(len(HEADS_AND_SIZES))]
    batch = int(rng.integers(2, 4))
    lengths = [length for length in range(6, 12) if length not in (batch, heads, size, heads * size)]
    return draw(rng, batch, int(rng.choice(lengths)), heads, size, dtype)


def draw_large(rng: np.random.Generator) -> Case:
    """Draw scores near 1e11, and in each row one so far above the others that rounding cannot matter.

    Some rows lie wholly below -2e10, where a large negative number in place of minus infinity shows. There is one head,
    so that the pattern of what overflows tells the ways of overflowing apart.
    """
    while True:
        case = draw(rng, 2, 6, 1, 5, "float32", gain=30.0)
        case = replace(case, inputs=replace(case.inputs, x=case.inputs.x * np.float32(1e4)))
        kept = oracle.trace(case.inputs)
        length = kept.scores.shape[-1]
        masked = np.sort(np.where(np.tril(np.ones((length, length), dtype=bool)), kept.scores, -np.inf), axis=-1)
        reach = np.abs(kept.scores).max(-1)
        # float32 rounds a score by some 1e-6 of the row's largest; a thousand times that is kept free
        clear = (masked[..., -1] - masked[..., -2] > 1e-3 * reach).all()
        if clear and (masked[..., : length - 1, -1] < -2e10).any():
            return case


EXAMPLE = oracle.Inputs(
    x=np.array([[[1, 0, 2, -1], [0, 1, 1, 1], [2, -1, 0, 1]]], dtype=np.float32),
    w_qkv=np.array(
        [
            [1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0],
            [0, 1, 1, 0, 1, 0, 0, -1, 0, 1, 0, 0],
            [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0],
            [1, 0, 0, -1, 0, 0, 1, 1, 0, 0, 0, 1],
        ],
        dtype=np.float32,
    ),
    b_qkv=np.array([0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1], dtype=np.float32),
    w_out=np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 2, 1, 0], [-1, 0, 0, 1]], dtype=np.float32),
    b_out=np.array([0, 0, 0.5, 0], dtype=np.float32),
    n_heads=2,
)
# Worked out by hand in the brief, not by the oracle.
EXAMPLE_Y = np.array([[[1, 4, 2.5, 1], [-0.5351, 2.8560, 1.8302, 2.1440], [-0.8320, 2.4987, 1.5, 1.8346]]])
