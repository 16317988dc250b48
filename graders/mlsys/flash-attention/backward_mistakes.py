"""The backward pass in float64, right or with one thing wrong.

A mistake is a name, `misconception` or `misconception/variant`, and those that depend on blocks carry their sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np

from graders.kit.attention_mistakes import ALL_BLOCKS
from graders.kit.attention_oracle import Answer, Array, Heads, forward, visible
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
        """The name by which `gradient` knows it."""
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


@dataclass(frozen=True)
class Task:
    """What a backward pass is given, and what every one of its mistakes begins with."""

    heads: Heads
    do: Array  # (..., T, D)

    @cached_property
    def answer(self) -> Answer:
        """Of the forward pass."""
        return forward(self.heads)

    @cached_property
    def products(self) -> Array:
        """(..., T, T): of every query with every key."""
        return dot_products(self.heads)

    @cached_property
    def d_weights(self) -> Array:
        """(..., T, T): the gradient of the weights."""
        return _times(np.asarray(self.do, dtype=np.float64), self.heads.in_float64()[2].swapaxes(-1, -2))


def slips(heads: Heads, do: Array, known: Sequence[Slip]) -> Iterator[tuple[str, Callable[[str], Array]]]:
    """Misconceptions, and what each makes of dq, dk or dv; computed when it is asked for."""
    task = Task(heads, do)
    for slip in known:
        if slip.shows == "always" or heads.causal:
            for blocks in ALL_BLOCKS if slip.by_block else ALL_BLOCKS[:1]:
                yield slip.misconception, partial(gradient, task, mistake=slip.name, blocks=blocks)


@np.errstate(all="ignore")
def gradient(task: Task, wanted: str, mistake: str = "", blocks: Blocks = ALL_BLOCKS[0]) -> Array:
    """dq, dk or dv, computed with this mistake."""
    heads, name, variant = task.heads, *mistake.partition("/")[::2]
    if name == "gradients-out-of-order":
        return gradient(task, variant.split()[("dq", "dk", "dv").index(wanted)])
    q, k, _ = heads.in_float64()
    p = _weights(task, mistake, blocks)
    in_blocks = variant == "in-block" and blocks.queries == blocks.keys
    if wanted == "dv":
        do = np.asarray(task.do, dtype=np.float64)
        found = _in_blocks(p, do, blocks.keys) if in_blocks else _times(_to_keys(heads, p, mistake, blocks), do)
    else:
        scale = heads.size ** (-0.5 * _powers(name, wanted))
        ds = (1.0 if name == "ds-without-p" else p) * (task.d_weights - _delta(task, mistake))
        if name == "ds-without-p":
            ds = np.where(visible(heads), ds, 0.0)
        if wanted == "dq":
            found = _times(_to_queries(heads, ds, mistake, blocks), k) * scale
        else:
            found = _in_blocks(ds, q, blocks.keys) if in_blocks else _times(_to_keys(heads, ds, mistake, blocks), q)
            found = found * scale
    return _carried(found, wanted, name, blocks) if variant == "carried" else found


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


def _weights(task: Task, mistake: str, blocks: Blocks) -> Array:
    """(..., T, T): the weights as they are made again."""
    heads, name, variant = task.heads, *mistake.partition("/")[::2]
    exponent = {"scale-missing": 0.0, "scale-applied-twice": -1.0}.get(name, -0.5)
    scores = task.products * heads.size**exponent
    seen = _seen(heads, mistake, blocks)
    lse = task.answer.lse[..., None]
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


def _delta(task: Task, mistake: str) -> Array:
    o, do = task.answer.o, np.asarray(task.do, dtype=np.float64)
    products = {"delta-forgotten": 0.0 * do, "delta-from-do": do * do, "delta-from-do/o": o * o}.get(mistake, do * o)
    return products.mean(-1, keepdims=True) if mistake == "delta-is-a-mean" else products.sum(-1, keepdims=True)


def _to_queries(heads: Heads, tile: Array, mistake: str, blocks: Blocks) -> Array:
    """What of a (..., T, T) matrix reaches the sums over keys."""
    rows, keys = np.arange(heads.length)[:, None], np.arange(heads.length)[None, :]
    if mistake.startswith("dq-across-the-wrong-loop/last"):
        end = np.full_like(rows, heads.length)
        if heads.causal and not mistake.endswith("unbounded"):
            end = np.minimum(end, (rows // blocks.queries + 1) * blocks.queries)
        return np.where(keys // blocks.keys == (end - 1) // blocks.keys, tile, 0.0)
    if mistake == "last-block-dropped":
        return np.where(keys < heads.length // blocks.keys * blocks.keys, tile, 0.0)
    return tile


def _to_keys(heads: Heads, tile: Array, mistake: str, blocks: Blocks) -> Array:
    """What of it reaches the sums over queries, the other way round."""
    rows = np.arange(heads.length)[:, None]
    if mistake == "dk-across-the-wrong-loop/last":
        tile = np.where(rows // blocks.queries == (heads.length - 1) // blocks.queries, tile, 0.0)
    if mistake == "last-block-dropped":
        tile = np.where(rows < heads.length // blocks.queries * blocks.queries, tile, 0.0)
    return tile if mistake == "transpose-missing" else tile.swapaxes(-1, -2)


def _carried(found: Array, wanted: str, name: str, blocks: Blocks) -> Array:
    """Sums that are not set back to zero when the next block of rows begins."""
    names, size = (("dq",), blocks.queries) if name.startswith("dq") else (("dk", "dv"), blocks.keys)
    return _running(found, size) if wanted in names else found


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
