"""The mistakes that show in the values: in which task each can be made, and in which variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs

from . import oracle
from .cases import Case

# How far a kernel may pad a row: to the next power of two, or to a multiple of its block.
_PADDINGS = ("next", *map(str, oracle.BLOCKS))
_TILES = tuple(map(str, oracle.BLOCKS[:5]))
_OWN_TILES = tuple(f"own-{tile}" for tile in _TILES)


def _variants(misconception: str, *variants: str) -> tuple[str, ...]:
    return tuple(f"{misconception}/{variant}" for variant in variants)


_PADDING_COUNTS = _variants("padding-counts", *_PADDINGS)
_MEAN_BY_PADDED = _variants("mean-by-padded-size", *_PADDINGS)
_DROPPED = _variants("remainder-dropped", *_TILES)
_NORM = (
    *("eps-missing", "eps-outside-the-root", "divided-by-variance", "variance-unbiased"),
    *("bias-missing", "bias-twice", *_PADDING_COUNTS, *_MEAN_BY_PADDED),
)

# Per task, the likelier first. `name/variant` is one way of making the mistake `name`.
BUGS: dict[str, tuple[str, ...]] = {
    "softplus_gate": ("exponential-overflows", "exponential-overflows/capped", "init-input-ignored", "factor-missing"),
    "row_variance": ("variance-unbiased", "wrong-axis", "second-moment", *_PADDING_COUNTS, *_MEAN_BY_PADDED),
    "max_over_middle": ("wrong-axis", "wrong-axis/first", "padding-counts"),
    "layer_norm": _NORM,
    "group_norm": (*_NORM, "statistics-per-channel", "groups-interleaved", "affine-by-group"),
    "matmul_at_b": _DROPPED,
    "batched_matmul_bt": ("batch-index-forgotten", "batch-index-forgotten/second", *_DROPPED),
    "conv2d": (
        *("kernel-flipped", "bias-missing", "bias-twice", "padding-is-the-edge"),
        *_variants("rows-and-columns-swapped", "stride", "padding"),
        "rows-and-columns-swapped",
    ),
    "log_softmax_channels": (
        *("no-max-subtraction", "wrong-axis", "wrong-axis/first", "log-of-softmax"),
        *_PADDING_COUNTS,
    ),
    "cross_entropy": (
        *("no-max-subtraction", "sum-not-mean", "mean-over-classes-too"),
        *(*_PADDING_COUNTS, *_MEAN_BY_PADDED),
    ),
    "linear_bias_gelu": (
        *("bias-missing", "bias-twice", "bias-after-activation", "gelu-approximated", "gelu-approximated/sigmoid"),
        *_DROPPED,
    ),
    "residual_rms_norm": (
        *("fused-order", "eps-missing", "eps-outside-the-root", "divided-by-variance", "mean-subtracted"),
        *_MEAN_BY_PADDED,
    ),
    "swiglu": (
        *("gate-and-up-swapped", "factor-missing", "exponential-overflows", "exponential-overflows/product"),
        *_DROPPED,
    ),
    "attention_weights": (
        *("no-max-subtraction", "fused-order", "init-input-ignored", "bias-missing", "bias-twice", "wrong-axis"),
        *("batch-index-forgotten", *_PADDING_COUNTS),
    ),
    "linear_logsumexp": (
        *("no-max-subtraction", "bias-missing", "bias-twice", *_variants("blocks-not-rescaled", *_TILES, *_OWN_TILES)),
        *(*_PADDING_COUNTS, *_DROPPED),
    ),
    "distillation_loss": (
        *("no-max-subtraction", "temperature-not-squared", "temperature-not-squared/once", "divergence-reversed"),
        *("init-input-ignored", "cross-entropy-only", "mean-over-classes-too", *_PADDING_COUNTS),
    ),
}


NAMES = frozenset(bug.partition("/")[0] for bugs in BUGS.values() for bug in bugs)


class Mistakes(Bugs):
    """Every variant of every mistake that can be made in a task, for one of its outputs; computed when asked for."""

    def __init__(self, case: Case, output: int) -> None:
        self._case = case
        self._output = output

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and answers, the likelier first."""
        for bug in BUGS[self._case.task]:
            yield bug.partition("/")[0], partial(self._with, bug)

    def _with(self, bug: str) -> Any:
        """Give None for what too many mistakes explain: zeros, or nothing finite in a draw that overflows nothing."""
        answer = self._case.expected(frozenset({bug}))[self._output]
        telling = np.isfinite(answer).any() or self._case.way == "large"
        return answer if telling and answer.any() else None
