"""The backward pass in float64, right or with one thing wrong.

A mistake is a name, `misconception` or `misconception/variant`, and those that depend on blocks carry their sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from graders.kit.attention_mistakes import ALL_BLOCKS
from graders.kit.attention_oracle import Array, Heads, forward, visible
from graders.kit.blocked_attention import Blocks, dot_products

Gradients = dict[str, Array]
# exp of more is infinite in float32, exp of less is 0
_HIGHEST_EXPONENT, _LOWEST_EXPONENT = 88.72, -103.97


@dataclass(frozen=True)
class Slip:
    """One way to be wrong, and where it shows at all."""

    misconception: str
    variant: str = ""
    by_block: bool = False
    shows: Literal["always", "causal"] = "always"

    @property
    def name(self) -> str:
        """The name by which `gradients` knows it."""
        return f"{self.misconception}/{self.variant}" if self.variant else self.misconception


SLIPS = (
    Slip("delta-forgotten"),
    Slip("delta-from-do"),
    Slip("delta-from-do", "o"),
    Slip("delta-is-a-mean"),
    Slip("p-without-lse"),
    Slip("p-without-lse", "max"),
    Slip("backward-mask-missing", shows="causal"),
    Slip("mask-hides-diagonal", shows="causal"),
    Slip("mask-one-future", shows="causal"),
    Slip("mask-reversed", shows="causal"),
    Slip("causal-flag-ignored", shows="causal"),
    Slip("causal-flag-ignored", "always"),
    Slip("lse-base-two", "both"),
    Slip("lse-base-two", "lse"),
    Slip("lse-base-two", "scores"),
    Slip("scale-missing"),
    Slip("scale-applied-twice"),
    Slip("dk-without-scale"),
    Slip("dq-without-scale"),
    Slip("gradient-scaled-twice"),
    Slip("ds-without-p"),
    Slip("transpose-missing"),
    Slip("transpose-missing", "in-block", by_block=True),
    Slip("gradients-out-of-order", "dk dq dv"),
    Slip("gradients-out-of-order", "dv dk dq"),
    Slip("gradients-out-of-order", "dq dv dk"),
    Slip("gradients-out-of-order", "dk dv dq"),
    Slip("gradients-out-of-order", "dv dq dk"),
    Slip("dq-across-the-wrong-loop", "last", by_block=True),
    Slip("dq-across-the-wrong-loop", "last-unbounded", by_block=True),
    Slip("dq-across-the-wrong-loop", "carried", by_block=True),
    Slip("dk-across-the-wrong-loop", "last", by_block=True),
    Slip("dk-across-the-wrong-loop", "carried", by_block=True),
    Slip("p-without-lse", "block", by_block=True),
    Slip("mask-within-block", by_block=True, shows="causal"),
    Slip("mask-by-block", by_block=True, shows="causal"),
    Slip("last-block-dropped", by_block=True),
)
# Right until exp overflows.
OVERFLOWING = (Slip("p-overflows"), Slip("p-without-lse"), Slip("p-without-lse", "max"))


def slips(heads: Heads, do: Array, known: Sequence[Slip]) -> Iterator[tuple[str, Callable[[], Gradients]]]:
    """Misconceptions and gradients; each computed when it is asked for."""
    for slip in known:
        if slip.shows == "always" or heads.causal:
            for blocks in ALL_BLOCKS if slip.by_block else ALL_BLOCKS[:1]:
                yield slip.misconception, partial(gradients, heads, do, slip.name, blocks)


@np.errstate(all="ignore")
def gradients(heads: Heads, do: Array, mistake: str = "", blocks: Blocks = ALL_BLOCKS[0]) -> Gradients:
    """dq, dk and dv, computed with this mistake."""
    q, k, v = heads.in_float64()
    do = np.asarray(do, dtype=np.float64)
    name, _, variant = mistake.partition("/")
    p = _weights(heads, mistake, blocks)
    d_weights = _times(do, v.swapaxes(-1, -2))
    ds = (1.0 if name == "ds-without-p" else p) * (d_weights - _delta(heads, do, mistake))
    if name == "ds-without-p":
        ds = np.where(visible(heads), ds, 0.0)
    scale = heads.size**-0.5
    to_queries, to_keys = _kept(heads, ds, mistake, blocks)
    _, to_values = _kept(heads, p, mistake, blocks)
    if mistake != "transpose-missing":
        to_keys, to_values = to_keys.swapaxes(-1, -2), to_values.swapaxes(-1, -2)
    found = {
        "dq": _times(to_queries, k) * scale ** _powers(name, "dq"),
        "dk": _times(to_keys, q) * scale ** _powers(name, "dk"),
        "dv": _times(to_values, do),
    }
    if variant == "in-block" and blocks.queries == blocks.keys:
        found |= {"dk": _in_blocks(ds, q, blocks.keys) * scale, "dv": _in_blocks(p, do, blocks.keys)}
    if variant == "carried":
        found = _carried(found, name, blocks)
    if name == "gradients-out-of-order":
        return dict(zip(("dq", "dk", "dv"), (found[place] for place in variant.split()), strict=True))
    return found


def given(heads: Heads, do: Array, lse: Array, o: Array) -> Gradients:
    """dq, dk and dv of a right program that reads wrong numbers, but has the right lse and o."""
    q, k, v = heads.in_float64()
    scale = heads.size**-0.5
    p = np.where(visible(heads), _exp(dot_products(heads) * scale - lse[..., None]), 0.0)
    ds = p * (_times(do, v.swapaxes(-1, -2)) - (do * o).sum(-1, keepdims=True))
    dq, dk = _times(ds, k) * scale, _times(ds.swapaxes(-1, -2), q) * scale
    return {"dq": dq, "dk": dk, "dv": _times(p.swapaxes(-1, -2), do)}


def _powers(name: str, gradient: str) -> int:
    return {f"{gradient}-without-scale": 0, "gradient-scaled-twice": 2}.get(name, 1)


def _times(a: Array, b: Array) -> Array:
    """A matrix product without BLAS, whose threads cost more than they give where products are this small."""
    return np.asarray(np.einsum("...ij,...jk->...ik", a, b), dtype=np.float64)


def _exp(exponent: Array) -> Array:
    """Exp with the range of float32."""
    powers: Array = np.exp(np.minimum(exponent, _HIGHEST_EXPONENT))
    powers[exponent > _HIGHEST_EXPONENT] = np.inf
    powers[exponent < _LOWEST_EXPONENT] = 0.0
    return powers


def _weights(heads: Heads, mistake: str, blocks: Blocks) -> Array:
    """(..., T, T): the weights as they are made again."""
    name, _, variant = mistake.partition("/")
    exponent = {"scale-missing": 0.0, "scale-applied-twice": -1.0}.get(name, -0.5)
    scores = dot_products(heads) * heads.size**exponent
    seen = _seen(heads, mistake, blocks)
    lse = forward(heads).lse[..., None]
    hidden = np.where(seen, scores, -np.inf)
    if name == "lse-base-two":
        base = math.log(2.0)
        scores, lse = (
            scores * (base if variant in ("both", "scores") else 1.0),
            lse * (base if variant in ("both", "lse") else 1.0),
        )
    if name == "p-overflows":
        return np.where(seen, _exp(scores) / _exp(lse), 0.0)
    if name == "p-without-lse":
        lse = {"": np.zeros_like(lse), "max": hidden.max(-1, keepdims=True)}.get(variant, lse)
    if mistake == "p-without-lse/block":
        lse = _lse_of_own_block(hidden, blocks.keys)
    return np.where(seen, _exp(scores - lse), 0.0)


def _lse_of_own_block(hidden: Array, size: int) -> Array:
    """The logsumexp of only the block of keys that a score is in."""
    found = np.zeros_like(hidden)
    for start in range(0, hidden.shape[-1], size):
        block = hidden[..., start : start + size]
        top = np.maximum(block.max(-1, keepdims=True), -1e30)
        found[..., start : start + size] = top + np.log(np.exp(block - top).sum(-1, keepdims=True))
    return found


def _seen(heads: Heads, mistake: str, blocks: Blocks) -> Array:
    rows, keys = np.arange(heads.length)[:, None], np.arange(heads.length)[None, :]
    right = visible(heads)
    if mistake == "causal-flag-ignored/always":
        return np.asarray(keys <= rows)
    if not heads.causal:
        return right
    everything = np.ones_like(right)
    known: dict[str, Callable[[], Array]] = {
        "backward-mask-missing": lambda: everything,
        "causal-flag-ignored": lambda: everything,
        "mask-hides-diagonal": lambda: keys < rows,
        "mask-one-future": lambda: keys <= rows + 1,
        "mask-reversed": lambda: keys >= rows,
        "mask-within-block": lambda: (
            (keys % blocks.keys <= rows % blocks.queries)
            & (keys // blocks.keys * blocks.keys < (rows // blocks.queries + 1) * blocks.queries)
        ),
        "mask-by-block": lambda: keys // blocks.keys * blocks.keys < (rows // blocks.queries + 1) * blocks.queries,
    }
    return known.get(mistake, lambda: right)()


def _delta(heads: Heads, do: Array, mistake: str) -> Array:
    o = forward(heads).o
    products = {"delta-forgotten": 0.0 * do, "delta-from-do": do * do, "delta-from-do/o": o * o}.get(mistake, do * o)
    return products.mean(-1, keepdims=True) if mistake == "delta-is-a-mean" else products.sum(-1, keepdims=True)


def _kept(heads: Heads, tile: Array, mistake: str, blocks: Blocks) -> tuple[Array, Array]:
    """What of a (..., T, T) matrix reaches the sums over keys, and what reaches the sums over queries."""
    rows, keys = np.arange(heads.length)[:, None], np.arange(heads.length)[None, :]
    if mistake.startswith("dq-across-the-wrong-loop/last"):
        end = np.full_like(rows, heads.length)
        if heads.causal and not mistake.endswith("unbounded"):
            end = np.minimum(end, (rows // blocks.queries + 1) * blocks.queries)
        last = (end - 1) // blocks.keys
        return np.where(keys // blocks.keys == last, tile, 0.0), tile
    if mistake == "dk-across-the-wrong-loop/last":
        return tile, np.where(rows // blocks.queries == (heads.length - 1) // blocks.queries, tile, 0.0)
    if mistake == "last-block-dropped":
        whole_keys = heads.length // blocks.keys * blocks.keys
        whole_rows = heads.length // blocks.queries * blocks.queries
        return np.where(keys < whole_keys, tile, 0.0), np.where(rows < whole_rows, tile, 0.0)
    return tile, tile


def _carried(found: Gradients, name: str, blocks: Blocks) -> Gradients:
    """Sums that are not set back to zero when the next block of rows begins."""
    names, size = (("dq",), blocks.queries) if name.startswith("dq") else (("dk", "dv"), blocks.keys)
    return {key: _running(value, size) if key in names else value for key, value in found.items()}


def _in_blocks(tile: Array, rows: Array, size: int) -> Array:
    """A sum over blocks of queries, in which each square block of the matrix lies the wrong way round."""
    length = rows.shape[-2]
    count = -(-length // size)
    padded = np.zeros((*tile.shape[:-2], count * size, count * size))
    padded[..., :length, :length] = tile
    gathered = np.zeros((*rows.shape[:-2], count * size, rows.shape[-1]))
    gathered[..., :length, :] = rows
    blocks = padded.reshape(*tile.shape[:-2], count, size, count, size)
    found = np.einsum("...irjc,...icd->...jrd", blocks, gathered.reshape(*rows.shape[:-2], count, size, -1))
    return np.asarray(found.reshape(gathered.shape)[..., :length, :])


def _running(rows: Array, size: int) -> Array:
    length = rows.shape[-2]
    padded = np.zeros((*rows.shape[:-2], -(-length // size) * size, rows.shape[-1]))
    padded[..., :length, :] = rows
    blocks = padded.reshape(*rows.shape[:-2], -1, size, rows.shape[-1]).cumsum(axis=-3)
    return np.asarray(blocks.reshape(padded.shape)[..., :length, :])
