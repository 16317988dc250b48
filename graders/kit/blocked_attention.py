"""Flash attention in float64 numpy, block of keys by block of keys, right or with one thing wrong.

A mistake is a name, `misconception` or `misconception/variant`: one misunderstanding can be typed in several ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.kit.attention_oracle import Answer, Array, Heads

Truth = NDArray[np.bool_]
# exp of more is infinite in float32, exp of less is 0
_HIGHEST_EXPONENT, _LOWEST_EXPONENT = 88.72, -103.97
_SMALLEST = 1.4e-45
RIGHT = ""


@dataclass(frozen=True)
class Blocks:
    """How many queries a program has, and how many keys it takes in at a time."""

    queries: int
    keys: int


@dataclass(frozen=True)
class Running:
    """What a program carries from block to block."""

    top: Array  # (..., T), the largest score so far
    total: Array  # (..., T), the sum of powers
    accumulator: Array  # (..., T, D)

    def where(self, rows: Truth, then: Running) -> Running:
        """The next state for some rows, this one for the others."""
        return Running(
            np.where(rows, then.top, self.top),
            np.where(rows, then.total, self.total),
            np.where(rows[:, None], then.accumulator, self.accumulator),
        )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def blocked(
    heads: Heads,
    blocks: Blocks,
    mistake: str = RIGHT,
    products: Array | None = None,
    positions: NDArray[np.int64] | None = None,
) -> Answer:
    """The online softmax: a running maximum, a running sum, an accumulator that is rescaled.

    All rows are carried at once; a block of keys that the program of a row does not visit leaves the row as it is.

    Args:
        heads: q, k and v.
        blocks: how many queries and keys a program takes at a time.
        mistake: what is wrong.
        products: the dot products of queries and keys, if they are known already.
        positions: those to answer for, ascending; all if None.

    """
    values = heads.in_float64()[2]
    rows = np.arange(heads.length) if positions is None else positions
    products = dot_products(heads) if products is None else products
    logits = products[..., rows, :] * _factor(heads.size, mistake)
    shape = logits.shape[:-1]
    seen, visits = _seen(heads, blocks, mistake), _visits(heads, blocks, mistake)
    state = Running(np.full(shape, -np.inf), np.zeros(shape), np.zeros((*shape, heads.size)))
    for start in _starts(heads, blocks, mistake):
        keys = np.arange(start, min(start + blocks.keys, heads.length))
        shown = seen(rows[:, None], keys[None, :])
        block = _Block(logits[..., keys], shown, values[..., keys, :], blocks.keys - keys.size, first=start == 0)
        then = _step(state, block, mistake)
        state = state.where(visits(rows, start), then)
    return _finished(heads, state, blocks, mistake)


def dot_products(heads: Heads) -> Array:
    """(..., T, T): of every query with every key."""
    q, k, _ = heads.in_float64()
    return _times(q, k.swapaxes(-1, -2))


def _times(a: Array, b: Array) -> Array:
    """A matrix product without BLAS, whose threads cost more than they give where products are this small."""
    return np.asarray(np.einsum("...ij,...jk->...ik", a, b), dtype=np.float64)


def _factor(size: int, mistake: str) -> float:
    powers = {"scale-missing": 0.0, "scale-on-output": 0.0, "scale-applied-twice": -1.0, "scale-inverted": 0.5}
    bases = {"base-two/once": math.log(2.0), "base-two/twice": math.log2(math.e)}
    return math.pow(size, powers.get(mistake, -0.5)) * bases.get(mistake, 1.0)


# ---- which keys ------------------------------------------------------------------------------------------------------


def _starts(heads: Heads, blocks: Blocks, mistake: str) -> list[int]:
    length = heads.length // blocks.keys * blocks.keys if mistake == "last-block-dropped" else heads.length
    starts = list(range(0, length, blocks.keys))
    if mistake == "first-block-only":
        return starts[:1]
    return starts[::-1] if mistake.startswith("empty-row-nan/") else starts


def _seen(heads: Heads, blocks: Blocks, mistake: str) -> Callable[[Any, Any], Truth]:
    """Which keys a row sees in the blocks that its program visits; rows and keys broadcast."""
    name, _, variant = mistake.partition("/")
    if heads.causal == (name == "causal-flag-ignored"):
        return lambda rows, keys: (rows >= 0) & (keys >= 0)
    by_block: Mapping[str, Callable[[Any, Any], Truth]] = {
        "index": lambda rows, keys: keys // blocks.keys <= rows // blocks.queries,
        "start": lambda rows, keys: _start(keys, blocks.keys) <= _start(rows, blocks.queries),
        "none": lambda rows, keys: (rows >= 0) & (keys >= 0),
    }
    known: Mapping[str, Callable[[Any, Any], Truth]] = {
        "mask-hides-diagonal": lambda rows, keys: keys < rows,
        "mask-one-future": lambda rows, keys: keys <= rows + 1,
        "mask-reversed": lambda rows, keys: keys >= rows,
        "mask-within-block": lambda rows, keys: keys % blocks.keys <= rows % blocks.queries,
        "mask-by-block": by_block.get(variant, lambda rows, keys: keys <= rows),
    }
    return known.get(name, lambda rows, keys: keys <= rows)


def _visits(heads: Heads, blocks: Blocks, mistake: str) -> Callable[[Any, int], Truth]:
    """Which rows belong to a program that visits the block of keys that starts here."""
    name, _, variant = mistake.partition("/")
    bounded = variant.endswith(("bounded", "none")) or name == "diagonal-block-skipped"
    if not heads.causal or not bounded:
        return lambda rows, start: rows >= 0
    reach = 0 if name == "diagonal-block-skipped" else blocks.queries
    return lambda rows, start: start < _start(rows, blocks.queries) + reach


def _start(position: Any, size: int) -> Any:
    return position // size * size


# ---- the recurrence --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Block:
    """One block of keys."""

    logits: Array  # (..., T, N)
    shown: Truth  # (T, N)
    values: Array  # (..., N, D)
    padded: int  # so many keys of it lie beyond the end
    first: bool


def _step(before: Running, block: _Block, mistake: str) -> Running:
    scores = np.where(block.shown, block.logits, 0.0 if mistake.startswith("mask-with-zero/") else -np.inf)
    top = _top(before, block, scores, mistake)
    powers = _exp(scores - top[..., None])
    shrink = np.ones_like(top) if mistake == "softmax-without-max" else _exp(before.top - top)
    total = before.total * (1.0 if mistake in _SUM_AS_IT_IS else shrink) + powers.sum(-1)
    if mistake.startswith("mask-with-zero/"):
        total = total + block.padded * _exp(-top)
    kept = np.ones_like(shrink) if mistake.startswith("accumulator-not-rescaled/") else shrink
    accumulator = before.accumulator * kept[..., None] + _product(powers, block.values)
    if mistake == "accumulator-in-float16":
        accumulator = accumulator.astype(np.float16).astype(np.float64)
    if mistake.startswith("division-in-loop/"):
        accumulator = accumulator / total[..., None]
    return Running(top, _flushed(total), _flushed(accumulator))


_SUM_AS_IT_IS = ("sum-not-rescaled", "accumulator-not-rescaled/and-sum")


def _top(before: Running, block: _Block, scores: Array, mistake: str) -> Array:
    if mistake == "softmax-without-max":
        return np.zeros_like(before.top)
    if mistake == "max-of-first-block" and not block.first:
        return before.top
    hidden_too = mistake.startswith("max-includes-hidden/")
    highest: Array = block.logits.max(-1) if hidden_too else scores.max(-1)
    beyond = block.padded and mistake.startswith(("max-includes-hidden/", "mask-with-zero/"))
    if mistake == "max-starts-at-zero" or beyond:
        highest = np.maximum(highest, 0.0)
    return np.asarray(np.maximum(before.top, highest))


def _exp(exponent: Array) -> Array:
    """Exp with the range of float32."""
    powers: Array = np.exp(np.minimum(exponent, _HIGHEST_EXPONENT))
    too_high = exponent > _HIGHEST_EXPONENT
    if too_high.any():
        powers[too_high] = np.inf
    powers[exponent < _LOWEST_EXPONENT] = 0.0
    return powers


def _flushed(sums: Array) -> Array:
    """What float32 cannot tell from 0."""
    sums[np.abs(sums) < _SMALLEST] = 0.0
    return sums


def _product(powers: Array, values: Array) -> Array:
    """The powers times the values; a sum of infinities of both signs is NaN, and so is their ratio later on."""
    infinite = np.isinf(powers)
    if not infinite.any():
        return _times(powers, values)
    product = _times(np.where(infinite, 0.0, powers), values)
    product[np.broadcast_to(infinite.any(-1, keepdims=True), product.shape)] = np.nan
    return product


def _finished(heads: Heads, state: Running, blocks: Blocks, mistake: str) -> Answer:
    if mistake == "padding-counted" and not heads.causal:
        state = _with_padding(state, -heads.length % blocks.keys)
    total, accumulator = state.total, state.accumulator
    if mistake == "division-missing/absolute":
        accumulator = accumulator * np.exp(state.top)[..., None]
    undivided = mistake.startswith(("division-missing/", "division-in-loop/only"))
    o = accumulator if undivided else accumulator / total[..., None]
    o = o / np.sqrt(heads.size) if mistake == "scale-on-output" else o
    o = np.nan_to_num(o, nan=0.0) if mistake.endswith("/zero") else o
    return Answer(o, state.top + np.log(total))


def _with_padding(state: Running, padded: int) -> Running:
    """Keys beyond the end, loaded as zeros: their score is 0, and their power is counted."""
    top = np.maximum(state.top, 0.0) if padded else state.top
    shrunk = np.exp(state.top - top)
    total = state.total * shrunk + padded * np.exp(-top)
    return replace(state, top=top, total=total, accumulator=state.accumulator * shrunk[..., None])
