"""The inputs of the checks, drawn so that every known mistake gives an answer of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepfield_cli.grading import Tensor
from graders.kit.attention_oracle import Answer, Heads, backward, forward

# Three blocks of 64 and more of smaller ones, so that a running maximum has moved; and one to eight positions beyond a
# multiple of 16, so that each usual block has at least eight padded keys at its end.
LONG_LENGTHS = tuple(range(145, 153))
# B, H, T, D: each row has a size that a short cut gets wrong.
EDGES = ((1, 1, 1, 16), (2, 3, 1, 64), (1, 1, 16, 16), (1, 2, 17, 32), (3, 1, 31, 16), (1, 1, 33, 128), (1, 1, 65, 64))
PLAIN = ("contiguous",) * 4


@dataclass(frozen=True)
class Case:
    """One call of each pass: values that the dtype holds exactly, and how q, k, v and do lie in memory."""

    heads: Heads
    do: np.ndarray
    dtype: str = "float32"
    layouts: tuple[str, ...] = PLAIN

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, T, D)."""
        return tuple(self.heads.q.shape)

    @cached_property
    def answer(self) -> Answer:
        """The right o and lse."""
        return forward(self.heads)

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        """The right dq, dk and dv."""
        return backward(self.heads, self.do)

    def rounded(self) -> Case:
        """The same case with values that its dtype holds."""
        q, k, v, do = (held(array, self.dtype) for array in (self.heads.q, self.heads.k, self.heads.v, self.do))
        return replace(self, heads=Heads(q, k, v, self.heads.causal), do=do)

    def inputs(self) -> list[Tensor]:
        """q, k and v as they are sent."""
        arrays = (self.heads.q, self.heads.k, self.heads.v)
        return [self._sent(array, layout) for array, layout in zip(arrays, self.layouts, strict=False)]

    def inputs_of_backward(self) -> list[Tensor]:
        """q, k, v, o, lse and do; o lies in memory as q does, lse in order."""
        lse = Tensor(self.answer.lse.astype(np.float32))
        o, do = self._sent(held(self.answer.o, self.dtype), self.layouts[0]), self._sent(self.do, self.layouts[3])
        return [*self.inputs(), o, lse, do]

    def _sent(self, array: np.ndarray, layout: str) -> Tensor:
        if self.dtype == "bfloat16":
            return Tensor(array.astype(np.float32), dtype=self.dtype, layout=layout)
        return Tensor(array.astype(self.dtype), layout=layout)


def draw(rng: np.random.Generator, shape: tuple[int, ...], causal: bool, dtype: str = "float32") -> Case:
    """Draw scores with a spread near 2: weights neither uniform nor one-hot, and a maximum that moves late."""
    q, k, v, do = (rng.uniform(-2.5, 2.5, shape) for _ in range(4))
    return Case(Heads(q, k, v, causal), do, dtype).rounded()


def draw_long(rng: np.random.Generator, causal: bool) -> Case:
    """Draw several blocks of every usual size."""
    return draw(rng, (1, 1, int(rng.choice(LONG_LENGTHS)), 16), causal)


def draw_square(rng: np.random.Generator) -> Case:
    """As many heads as positions: what exchanges the two stays inside the memory, and can be recognised."""
    return draw(rng, (2, 12, 12, 16), False)


def draw_large(rng: np.random.Generator, causal: bool) -> Case:
    """Draw scores near 1e3 that are multiples of 64, exactly: float32 neither rounds them nor their differences.

    The weights of a row are then equal or nearly 0, so that no rounding shows, however the powers are taken; and what
    overflows or underflows does so by far. Position 0 has the score -4096 with itself, and sees nothing else if causal.
    Position 1 has -1024 with every key, so that a padded key, whose score is 0, has a weight of exp(1024) if it counts.
    """
    shape = (1, 1, int(rng.choice(LONG_LENGTHS)), 16)
    q, k = (16.0 * rng.integers(-2, 3, shape) for _ in range(2))
    q[..., 0, :], k[..., 0, :] = 32.0, -32.0
    q[..., 1, :] = 0.0
    q[..., 1, -1], k[..., -1] = 128.0, -32.0
    v, do = (rng.uniform(-2.0, 2.0, shape) for _ in range(2))
    return Case(Heads(q, k, v, causal), do).rounded()


def draw_half(rng: np.random.Generator, dtype: str) -> Case:
    """Draw nearly equal weights over values near 1,000: their sum before the division leaves the range of float16."""
    shape = (1, 1, int(rng.choice(LONG_LENGTHS)), 32)
    q, k = (rng.uniform(-0.5, 0.5, shape) for _ in range(2))
    return Case(Heads(q, k, rng.uniform(800.0, 1200.0, shape), False), np.ones(shape), dtype).rounded()


def draw_narrow(rng: np.random.Generator, dtype: str) -> list[Case]:
    """Draw sums for dq and dk whose first half leaves the range of float16, and whose second half brings them back.

    All weights are equal, since q or k is 0. What meets them, dp - delta, is 25,600 for the first half of the keys, or
    queries, and -25,600 for the second, and is multiplied with numbers near 100. delta itself is 76,800.
    """
    length, size = 160, 16
    shape = (1, 1, length, size)
    zeros, near = np.zeros(shape), rng.uniform(90.0, 110.0, shape)
    signs = np.where(np.arange(length) < length // 2, 1.0, -1.0)[:, None] * np.ones(shape)
    one, other = 75.0 + 25.0 * signs, np.full(shape, 64.0)
    for_dq = Case(Heads(zeros, near, one, False), other, dtype)
    for_dk = Case(Heads(near, zeros, one, False), other * signs, dtype)
    return [for_dq.rounded(), for_dk.rounded()]


def draw_high(rng: np.random.Generator, dtype: str) -> Case:
    """Draw scores that all lie near 64, where half precision has steps of 1/16 or more: lse has to be float32."""
    case = draw(rng, (1, 1, 40, 16), False, dtype)
    q, k = case.heads.q.copy(), case.heads.k.copy()
    q[..., 0], k[..., 0] = 64.0, 4.0
    return replace(case, heads=replace(case.heads, q=q, k=k)).rounded()


def held(array: np.ndarray, dtype: str) -> np.ndarray:
    """The same values as this dtype holds them, in float64."""
    if dtype != "bfloat16":
        return array.astype(dtype).astype(np.float64)
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + 0x8000) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)
