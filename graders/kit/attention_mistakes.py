"""The known mistakes of flash attention, and what somebody who makes one would have answered.

What a mistake gives depends on the block sizes, which are the learner's own. So every mistake is tried with all that
are usual.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from deepfield_cli.grading import Bugs
from graders.kit.attention_oracle import Answer, Array, Heads
from graders.kit.blocked_attention import Blocks, blocked, dot_products

SIZES = (16, 32, 64, 128)
ALL_BLOCKS = tuple(Blocks(queries, keys) for queries, keys in itertools.product(SIZES, SIZES))
KEY_BLOCKS = tuple(Blocks(64, keys) for keys in SIZES)
ONE_BLOCK = (Blocks(64, 64),)


@dataclass(frozen=True)
class Mistake:
    """One way to make a mistake, the blocks for which it gives different answers, and where it shows at all."""

    misconception: str
    variant: str = ""
    blocks: tuple[Blocks, ...] = ONE_BLOCK
    shows: Literal["always", "causal", "full"] = "always"

    @property
    def name(self) -> str:
        """The name by which `blocked` knows it."""
        return f"{self.misconception}/{self.variant}" if self.variant else self.misconception

    def shows_in(self, heads: Heads) -> bool:
        """Whether it can change the answer."""
        return self.shows == "always" or (self.shows == "causal") == heads.causal


# Wrong whatever the blocks are.
PLAIN = (
    Mistake("scale-missing"),
    Mistake("scale-applied-twice"),
    Mistake("scale-inverted"),
    Mistake("scale-on-output"),
    Mistake("base-two", "once"),
    Mistake("base-two", "twice"),
    Mistake("causal-flag-ignored"),
    Mistake("mask-hides-diagonal", "nan", shows="causal"),
    Mistake("mask-hides-diagonal", "zero", shows="causal"),
    Mistake("mask-one-future", "everywhere", shows="causal"),
    Mistake("division-missing", "relative"),
    Mistake("division-missing", "absolute"),
)
# Wrong in a way that depends on the blocks.
BLOCKED = (
    Mistake("accumulator-not-rescaled", "alone", KEY_BLOCKS),
    Mistake("accumulator-not-rescaled", "and-sum", KEY_BLOCKS),
    Mistake("sum-not-rescaled", "", KEY_BLOCKS),
    Mistake("division-in-loop", "and-after", KEY_BLOCKS),
    Mistake("division-in-loop", "only", KEY_BLOCKS),
    Mistake("division-in-loop", "and-after-bounded", ALL_BLOCKS, "causal"),
    Mistake("division-in-loop", "only-bounded", ALL_BLOCKS, "causal"),
    Mistake("first-block-only", "", KEY_BLOCKS),
    Mistake("last-block-dropped", "", KEY_BLOCKS),
    Mistake("padding-counted", "", KEY_BLOCKS, "full"),
    Mistake("mask-with-zero", "everywhere", KEY_BLOCKS),
    Mistake("mask-with-zero", "bounded", ALL_BLOCKS, "causal"),
    Mistake("mask-by-block", "none", ALL_BLOCKS, "causal"),
    Mistake("mask-by-block", "index", ALL_BLOCKS, "causal"),
    Mistake("mask-by-block", "start", ALL_BLOCKS, "causal"),
    Mistake("mask-within-block", "bounded", ALL_BLOCKS, "causal"),
    Mistake("mask-within-block", "everywhere", ALL_BLOCKS, "causal"),
    Mistake("mask-one-future", "bounded", ALL_BLOCKS, "causal"),
    Mistake("mask-reversed", "bounded", ALL_BLOCKS, "causal"),
    Mistake("mask-reversed", "everywhere", KEY_BLOCKS, "causal"),
    Mistake("diagonal-block-skipped", "nan", ALL_BLOCKS, "causal"),
    Mistake("diagonal-block-skipped", "zero", ALL_BLOCKS, "causal"),
    Mistake("empty-row-nan", "bounded", ALL_BLOCKS, "causal"),
    Mistake("empty-row-nan", "everywhere", KEY_BLOCKS, "causal"),
)
# Right until exp overflows or underflows.
OVERFLOWING = (
    Mistake("softmax-without-max"),
    Mistake("max-starts-at-zero"),
    Mistake("max-of-first-block", "", KEY_BLOCKS),
    Mistake("max-includes-hidden", "everywhere", KEY_BLOCKS),
    Mistake("max-includes-hidden", "bounded", ALL_BLOCKS, "causal"),
)
# Right until a sum leaves the range of float16.
NARROW = (Mistake("accumulator-in-float16", "", KEY_BLOCKS),)


# Eight positions of some hundred: most mistakes are out of the question there already.
_FEW = 8
# A mistake stays in question while what it gives there is this near, in parts of its largest value: thirty times the
# coarsest tolerance.
_NEAR = 0.2


def candidates(heads: Heads, known: Sequence[Mistake]) -> Iterator[tuple[str, Callable[..., Answer]]]:
    """Misconceptions and answers, in the order given; each answer is computed when it is asked for."""
    products = dot_products(heads)
    for mistake in known:
        for blocks in mistake.blocks if mistake.shows_in(heads) else ():
            yield mistake.misconception, partial(blocked, heads, blocks, mistake.name, products)


class KernelMistakes(Bugs):
    """Mistakes of a forward kernel, as o shows them; where they depend on block sizes, for all usual ones."""

    def __init__(self, heads: Heads, known: Sequence[Mistake], got: Array | None = None) -> None:
        self._heads = heads
        self._known = known
        self._got = got

    def sieved(self, got: Mapping[str, Any]) -> KernelMistakes:
        """Those that give about this at a few positions."""
        (o,) = got.values()
        return KernelMistakes(self._heads, self._known, o if o.shape == self._heads.q.shape else None)

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and outputs."""
        few = np.linspace(0, self._heads.length - 1, min(_FEW, self._heads.length)).astype(int)
        for name, answer in candidates(self._heads, self._known):
            if self._got is None or _is_near(self._got[..., few, :], answer(positions=few).o):
                yield name, partial(_output, answer)


def _output(answer: Callable[..., Answer]) -> Array:
    return answer().o


def _is_near(got: Array, mistaken: Array) -> bool:
    finite = np.isfinite(mistaken)
    if not np.array_equal(finite, np.isfinite(got)):
        return False
    most = _NEAR * np.abs(mistaken, where=finite, out=np.zeros_like(mistaken)).max()
    return bool((np.abs(got - mistaken, where=finite, out=np.zeros_like(mistaken)) <= most).all())
