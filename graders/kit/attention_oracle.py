"""Attention in float64 numpy, forward and backward: what the flash-attention suites hold to be true.

All arrays are (..., T, D); what stands in front, batches and heads, is carried along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Heads:
    """The arguments of attention, in any float type; they are computed with in float64."""

    q: Array  # (..., T, D)
    k: Array  # (..., T, D)
    v: Array  # (..., T, D)
    causal: bool

    @property
    def length(self) -> int:
        """T."""
        return int(self.q.shape[-2])

    @property
    def size(self) -> int:
        """D."""
        return int(self.q.shape[-1])

    def in_float64(self) -> tuple[Array, Array, Array]:
        """The three arrays."""
        q, k, v = (np.asarray(array, dtype=np.float64) for array in (self.q, self.k, self.v))
        return q, k, v


@dataclass(frozen=True)
class Answer:
    """The output and the logarithm of each row's sum of powers."""

    o: Array  # (..., T, D)
    lse: Array  # (..., T), natural logarithm of the sum over the visible keys of exp(score)


def forward(heads: Heads) -> Answer:
    """softmax(q kᵀ / √D) v, row by row, and the row's logsumexp."""
    _, _, v = heads.in_float64()
    logits = scores(heads)
    top = logits.max(-1, keepdims=True)
    powers = np.exp(logits - top)
    total = powers.sum(-1, keepdims=True)
    return Answer(o=(powers / total) @ v, lse=(top + np.log(total))[..., 0])


def rows_of_forward(q: Array, k: Array, v: Array, rows: Sequence[int], causal: bool) -> Array:
    """The output at some positions of one head: q holds only those rows, (R, D), k and v all of them, (T, D)."""
    q, k, v = (np.asarray(array, dtype=np.float64) for array in (q, k, v))
    logits = q @ k.T / np.sqrt(q.shape[-1])
    if causal:
        logits = np.where(np.arange(k.shape[0]) <= np.asarray(rows)[:, None], logits, -np.inf)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    answer: Array = powers / powers.sum(-1, keepdims=True) @ v
    return answer


def scores(heads: Heads) -> Array:
    """(..., T, T): scaled, and minus infinity where a key is hidden."""
    q, k, _ = heads.in_float64()
    logits: Array = q @ k.swapaxes(-1, -2) / np.sqrt(heads.size)
    return np.where(visible(heads), logits, -np.inf)


def visible(heads: Heads) -> NDArray[np.bool_]:
    """(T, T): row t is True where position t may look."""
    everything = np.ones((heads.length, heads.length), dtype=bool)
    return np.tril(everything) if heads.causal else everything


def backward(heads: Heads, do: Array) -> dict[str, Array]:
    """The gradients of (o · do) with respect to q, k and v: dq, dk, dv."""
    q, k, v = heads.in_float64()
    do = np.asarray(do, dtype=np.float64)
    answer = forward(heads)
    weights = np.exp(scores(heads) - answer.lse[..., None])
    d_weights = do @ v.swapaxes(-1, -2)
    delta = (do * answer.o).sum(-1, keepdims=True)
    d_scores = weights * (d_weights - delta) / np.sqrt(heads.size)
    return {"dq": d_scores @ k, "dk": d_scores.swapaxes(-1, -2) @ q, "dv": weights.swapaxes(-1, -2) @ do}
