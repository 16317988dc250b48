"""The mistakes that this grader knows: in which variants they are made, where they show, and how they are searched."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs

from . import oracle


def _variants(misconception: str, *variants: str) -> tuple[str, ...]:
    return tuple(f"{misconception}/{variant}" for variant in variants) or (misconception,)


def _table(*rows: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {row[0]: _variants(*row) for row in rows}


# Mistakes that an ordinary input shows in the output.
FORWARD_BUGS = _table(
    ("missing-scale",),
    ("scale-by-model-width",),
    ("scale-applied-twice",),
    ("scale-by-head-count",),
    ("scale-inverted",),
    ("scale-after-softmax",),
    ("no-mask",),
    ("mask-hides-diagonal", "nan", "uniform", "zero", "unmasked"),
    ("mask-one-future",),
    ("mask-reversed",),
    ("mask-after-softmax",),
    ("mask-with-zero",),
    ("softmax-wrong-axis", "queries", "heads"),
    ("softmax-missing",),
    ("heads-split-by-reshape", "merged-by-transpose", "merged-by-reshape"),
    ("heads-merged-by-reshape",),
    ("head-count-and-size-swapped", "scale-by-count", "scale-by-size"),
    ("heads-interleaved",),
    ("qkv-order", "kqv", "qvk", "vkq", "vqk", "kvq"),
    ("qkv-interleaved", "head-major", "channel-major"),
    ("bias-missing", "qkv", "out", "both"),
    ("w-out-transposed",),
    ("output-projection-missing",),
    ("residual-added",),
    ("values-passed-through", "projected", "bare"),
    ("uniform-average",),
)

# Mistakes that show only when the logits are enormous.
LARGE_INPUT_BUGS = _table(
    ("softmax-without-max", "nan", "zero"),
    ("max-over-everything", "all", "head"),
    ("max-includes-the-future", "nan", "zero"),
    ("mask-is-finite", "fill-1e4", "fill-1e9", "add-1e4", "add-1e9"),
    ("logits-clamped", "above", "both"),
)

# Mistakes made on the way back, after a right forward pass.
BACKWARD_BUGS = _table(
    ("jacobian-without-row-sum", "dropped", "elementwise"),
    ("jacobian-row-sum-wrong", "queries", "unweighted", "mean"),
    ("scale-missing-in-backward", "both", "dq", "dk"),
    ("scale-twice-in-backward",),
    ("dk-dv-swapped",),
    ("dq-dk-swapped",),
    ("attention-not-transposed", "dk", "dv", "both"),
    ("gradient-leaks-through-mask", "scores", "weights"),
    ("w-out-not-transposed-in-backward", "as-is", "skipped"),
    ("heads-reshaped-in-backward", "split", "merge", "both"),
    ("dw-out-wrong-activation", "x", "values", "y", "unmerged-heads"),
    ("weight-gradient-transposed", "w_out", "w_qkv", "both"),
    ("bias-gradient-not-summed", "at-all", "over-batch", "over-time"),
    ("bias-gradient-averaged", "batch", "time", "both"),
    ("gradients-averaged-over-batch",),
    ("gradient-overwritten", "last-item", "first-item"),
    ("dx-misses-a-path", "q", "k", "v"),
    ("dx-adds-residual",),
)

# What goes wrong before x @ w_qkv + b_qkv shows in everything behind it.
_ON_THE_WAY_TO_QKV = (
    "jacobian-without-row-sum",
    "scale-missing-in-backward",
    "jacobian-row-sum-wrong",
    "dk-dv-swapped",
    "dq-dk-swapped",
    "attention-not-transposed",
    "gradient-leaks-through-mask",
    "w-out-not-transposed-in-backward",
    "heads-reshaped-in-backward",
    "scale-twice-in-backward",
)
# The mistakes that can be seen in each gradient, the likelier first.
SHOWS_IN = {
    "x": ("dx-misses-a-path", *_ON_THE_WAY_TO_QKV, "dx-adds-residual"),
    "w_qkv": (
        *_ON_THE_WAY_TO_QKV,
        "weight-gradient-transposed",
        "gradients-averaged-over-batch",
        "gradient-overwritten",
    ),
    "b_qkv": (*_ON_THE_WAY_TO_QKV, "bias-gradient-not-summed", "bias-gradient-averaged", "gradient-overwritten"),
    "w_out": (
        "dw-out-wrong-activation",
        "weight-gradient-transposed",
        "gradients-averaged-over-batch",
        "gradient-overwritten",
    ),
    "b_out": ("bias-gradient-not-summed", "bias-gradient-averaged", "gradient-overwritten"),
}


class Mistakes(Bugs):
    """Every variant of every misconception of a table alone, then any two together; computed when asked for."""

    def __init__(self, table: Mapping[str, Sequence[str]], answer: Callable[[oracle.Bugs], Any]) -> None:
        self._answer_to = answer
        self._variants = [(name, bug) for name, bugs in table.items() for bug in bugs]

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and answers, single mistakes first."""
        for name, bug in self._variants:
            yield name, partial(self._answer_to, frozenset({bug}))
        for (first, one), (second, other) in itertools.combinations(self._variants, 2):
            if first != second:
                yield f"{first}+{second}", partial(self._to_both, frozenset({one, other}))

    def _to_both(self, bugs: oracle.Bugs) -> Any:
        """Give None where nothing finite is left: NaN everywhere is explained by too many pairs to name one."""
        answer = self._answer_to(bugs)
        return answer if np.isfinite(answer).any() else None
