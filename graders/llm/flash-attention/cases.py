"""The inputs of the checks, drawn so that every known mistake gives an answer of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deepfield_cli.grading import Tensor
from graders.kit.attention_oracle import Heads

from .oracle import Inputs

# Longer than two blocks of 128, so that a running maximum has moved; and one to eight positions beyond a multiple of
# 16, so that each usual block has at least eight padded keys at its end.
LONG_LENGTHS = tuple(length for length in range(257, 305) if 1 <= length % 16 <= 8)
# B, H, T, D: each row has a size that a short cut gets wrong.
EDGES = (
    (1, 1, 1, 16),
    (2, 3, 1, 64),
    (1, 1, 16, 16),
    (1, 2, 17, 32),
    (3, 1, 31, 16),
    (1, 1, 64, 128),
    (1, 1, 130, 128),
    (1, 1, 65, 64),
    (1, 1, 129, 16),
)


@dataclass(frozen=True)
class Case:
    """One call of flash_attention: values that its dtype holds exactly, and how they lie in memory."""

    heads: Heads
    dtype: str = "float32"
    layouts: tuple[str, str, str] = ("contiguous", "contiguous", "contiguous")

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, T, D)."""
        return tuple(self.heads.q.shape)

    def rounded(self) -> Case:
        """The same case with values that its dtype holds."""
        q, k, v = (held(array, self.dtype) for array in (self.heads.q, self.heads.k, self.heads.v))
        return replace(self, heads=Heads(q, k, v, self.heads.causal))

    def tensors(self) -> list[Tensor]:
        """q, k and v as they are sent."""
        arrays = (self.heads.q, self.heads.k, self.heads.v)
        return [
            Tensor(array.astype(np.float32), dtype=self.dtype, layout=layout)
            if self.dtype == "bfloat16"
            else Tensor(array.astype(self.dtype), layout=layout)
            for array, layout in zip(arrays, self.layouts, strict=True)
        ]


def draw(rng: np.random.Generator, shape: tuple[int, ...], causal: bool, dtype: str = "float32") -> Case:
    """Draw scores with a spread near 2: weights neither uniform nor one-hot, and a maximum that moves late."""
    q, k, v = (rng.uniform(-2.5, 2.5, shape) for _ in range(3))
    return Case(Heads(q, k, v, causal), dtype).rounded()


def draw_long(rng: np.random.Generator) -> Case:
    """Draw several blocks of every usual size."""
    return draw(rng, (1, 1, int(rng.choice(LONG_LENGTHS)), 16), True)


def draw_square(rng: np.random.Generator) -> Case:
    """As many heads as positions: what exchanges the two stays inside the memory, and can be recognised."""
    return draw(rng, (2, 12, 12, 16), False)


def draw_large(rng: np.random.Generator, causal: bool) -> Case:
    """Draw scores near 1e3 that are multiples of 64, exactly: float32 neither rounds them nor their differences.

    The weights of a row are then equal or nearly 0, so that no rounding shows, however the powers are taken; and what
    overflows or underflows does so by far. Position 0 has the score -4096 with itself, and sees nothing else if causal.
    """
    shape = (1, 1, int(rng.choice(LONG_LENGTHS)), 16)
    q, k = (16.0 * rng.integers(-2, 3, shape) for _ in range(2))
    q[..., 0, :], k[..., 0, :] = 32.0, -32.0
    return Case(Heads(q, k, rng.uniform(-2.0, 2.0, shape), causal)).rounded()


def draw_half(rng: np.random.Generator, dtype: str) -> Case:
    """Draw nearly equal weights over values near 500: their sum before the division leaves the range of float16."""
    shape = (1, 1, int(rng.choice(LONG_LENGTHS)), 32)
    q, k = (rng.uniform(-0.5, 0.5, shape) for _ in range(2))
    return Case(Heads(q, k, rng.uniform(400.0, 600.0, shape), False), dtype).rounded()


def held(array: np.ndarray, dtype: str) -> np.ndarray:
    """The same values as this dtype holds them, in float64."""
    if dtype != "bfloat16":
        return array.astype(dtype).astype(np.float64)
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + 0x8000) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


def draw_block(rng: np.random.Generator, batch: int, length: int, heads: int, size: int) -> Inputs:
    """The arguments of attention_block, with scores of a spread near 1."""
    width = heads * size
    x = rng.uniform(-1.7, 1.7, (batch, length, width))
    w_qkv = rng.uniform(-1.7, 1.7, (width, 3 * width)) * width**-0.5
    w_out = rng.uniform(-1.7, 1.7, (width, width)) * width**-0.5
    b_qkv, b_out = rng.uniform(-0.8, 0.8, 3 * width), rng.uniform(-0.8, 0.8, width)
    x, w_qkv, b_qkv, w_out, b_out = (array.astype(np.float32) for array in (x, w_qkv, b_qkv, w_out, b_out))
    return Inputs(x, w_qkv, b_qkv, w_out, b_out, heads)


def _in_channels(*columns: list[float]) -> np.ndarray:
    """(1, 1, T, 16): the first channels hold these numbers, the others zeros."""
    array = np.zeros((1, 1, len(columns[0]), 16), dtype=np.float32)
    for channel, column in enumerate(columns):
        array[0, 0, :, channel] = column
    return array


# Query t is 4 times (1, 2, -1, 1)[t], key s is ln 2 times (1, 0, 3, 2)[s]: all powers are powers of two.
EXAMPLE = Case(
    Heads(
        q=_in_channels([4.0, 8.0, -4.0, 4.0]),
        k=_in_channels([np.log(2.0), 0.0, 3 * np.log(2.0), 2 * np.log(2.0)]),
        v=_in_channels([1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 4.0]),
        causal=True,
    )
)
# Worked out by hand in the brief, not by the oracle.
EXAMPLE_O = _in_channels([1.0, 0.8, 0.4615, 1.2], [0.0, 0.2, 0.6154, 1.1333])
