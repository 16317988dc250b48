"""The attention block around the kernel in float64; attention itself is the kit's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graders.kit.attention_oracle import Heads, forward

Array = NDArray[np.float64]
RIGHT = ""
BLOCK_MISTAKES = (
    "block-not-causal",
    "heads-split-by-reshape",
    "heads-merged-by-reshape",
    *(f"qkv-order/{order}" for order in ("kqv", "qvk", "vkq", "kvq", "vqk")),
    "bias-missing/qkv",
    "bias-missing/out",
    "bias-missing/both",
    "output-projection-missing",
    "w-out-transposed",
)


@dataclass(frozen=True)
class Inputs:
    """The arguments of attention_block, in its order."""

    x: Array  # (B, T, C)
    w_qkv: Array  # (C, 3C)
    b_qkv: Array  # (3C,)
    w_out: Array  # (C, C)
    b_out: Array  # (C,)
    n_heads: int

    def arrays(self) -> list[Array]:
        """The five arrays."""
        return [self.x, self.w_qkv, self.b_qkv, self.w_out, self.b_out]


def block(inputs: Inputs, mistake: str = RIGHT) -> Array:
    """Return y, (B, T, C)."""
    x, w_qkv, b_qkv, w_out, b_out = (np.asarray(array, dtype=np.float64) for array in inputs.arrays())
    qkv = x @ w_qkv + (0.0 if mistake in ("bias-missing/qkv", "bias-missing/both") else b_qkv)
    order = mistake.partition("/")[2] if mistake.startswith("qkv-order/") else "qkv"
    parts = dict(zip(order, np.split(qkv, 3, axis=-1), strict=True))
    q, k, v = (_split(parts[letter], inputs.n_heads, mistake) for letter in "qkv")
    merged = _merge(forward(Heads(q, k, v, causal=mistake != "block-not-causal")).o, mistake)
    if mistake == "output-projection-missing":
        return merged
    y: Array = merged @ (w_out.T if mistake == "w-out-transposed" else w_out)
    return y if mistake in ("bias-missing/out", "bias-missing/both") else y + b_out


def _split(channels: Array, heads: int, mistake: str) -> Array:
    """(B, T, C) to (B, H, T, D)."""
    batch, length, width = channels.shape
    if mistake == "heads-split-by-reshape":
        return channels.reshape(batch, heads, length, width // heads)
    return channels.reshape(batch, length, heads, width // heads).swapaxes(1, 2)


def _merge(attended: Array, mistake: str) -> Array:
    """(B, H, T, D) to (B, T, C)."""
    batch, heads, length, size = attended.shape
    ordered = attended if mistake == "heads-merged-by-reshape" else attended.swapaxes(1, 2)
    return ordered.reshape(batch, length, heads * size)
