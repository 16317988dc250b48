"""The mistakes that this grader knows: in which variants they are made, where they show, and how they are searched."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from deepfield_cli.grading import Bugs

from . import oracle


def _table(*rows: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(f"{name}/{variant}" for variant in variants) or (name,) for name, *variants in rows}


# Seen in the logits.
FORWARD_BUGS = _table(
    ("sees-the-future", "everything", "one-position"),
    ("conv1d-not-transposed", "square", "viewed"),
    ("positions-restart", "from-one", "from-the-end", "reversed", "half-way", "always-the-first"),
    ("no-positions",),
    ("post-norm",),
    ("no-final-norm",),
    ("norm-missing", "before-attention", "before-mlp", "both"),
    ("norms-swapped",),
    ("norm-without-mean",),
    ("unbiased-variance",),
    ("other-activation", "relu", "silu", "quick-gelu"),
    ("residual-missing", "attention", "mlp", "both"),
    ("residual-of-the-norm",),
    ("parallel-blocks",),
    ("attention-scale", "missing", "by-model-width"),
    ("one-head",),
    ("heads-split-by-reshape",),
    ("heads-merged-by-reshape",),
    ("heads-interleaved",),
    ("qkv-order", "kqv", "qvk", "vkq", "vqk", "kvq"),
    ("qkv-interleaved",),
    ("embedding-scaled",),
    ("first-layer-repeated",),
    ("last-layer-skipped",),
    ("logits-normalised", "softmax", "log-softmax"),
    # told apart only where hidden units are around -3
    ("exact-gelu",),
    # and only where what is normalised is tiny
    ("layer-norm-epsilon", "1e-6", "1e-8", "1e-12", "none", "1e-3", "outside"),
)
# Seen in the loss, after right logits.
LOSS_BUGS = _table(
    ("shifted-twice",),
    ("targets-ignored", "as-they-are", "shifted"),
    ("loss-is-a-sum", "over-everything", "over-positions", "over-sequences"),
    ("loss-of-the-last-position",),
)
SCHEDULE_BUGS = _table(
    ("schedule-off-by-one", "late", "early", "last"),
    ("warm-up-from-zero",),
    ("warm-up-never-arrives",),
    ("warm-up-from-the-floor",),
    ("no-warm-up",),
    ("cosine-to-zero",),
    ("cosine-misplaced", "from-step-zero", "over-max-steps"),
    ("linear-decay",),
    ("floor-as-maximum",),
    ("rises-after-the-end",),
)
# Seen in what one training step reports and does to the weights.
GATHERING_BUGS = _table(
    ("loss-not-divided", "both", "gradient", "report"),
    ("divided-twice",),
    ("last-micro-batch-only", "both", "gradient", "report", "divided", "gradient-divided"),
    ("first-micro-batch-only",),
    ("stale-gradients",),
    ("always-rescaled",),
)
CLIPPING_BUGS = _table(
    ("clip-per-parameter",),
    ("clip-by-value",),
    ("clip-each-micro-batch",),
    ("not-clipped",),
    ("always-rescaled",),
    ("norm-after-clipping",),
    ("loss-not-divided", "both", "gradient"),
)
OPTIMIZER_BUGS = _table(
    ("decay-on-everything",),
    ("embeddings-not-decayed",),
    ("no-decay",),
    ("decay-in-the-gradient",),
    ("betas-ignored",),
    ("no-bias-correction",),
)
SHARD_BUGS = _table(
    ("no-shift",),
    ("shifted-twice",),
    ("shifted-within-rows",),
    ("header-read-as-tokens",),
    ("ids-read-as-signed",),
    ("shard-tail-dropped", "short-window", "last-token"),
    ("token-skipped-between-windows",),
    ("epoch-tail-dropped",),
    ("first-shard-only",),
    ("shards-reordered",),
    ("batch-filled-by-column",),
)
RANK_BUGS = _table(
    ("ranks-read-the-same", "skipping", "alone"),
    ("ranks-overlap",),
    ("ranks-shifted-by-a-row",),
)
ENDING_BUGS = _table(
    ("ending-summed",),
    ("context-scored", "everything", "its-last-token"),
    ("ending-off-by-one", "late", "early"),
    ("first-ending-token-skipped",),
    ("last-ending-token-skipped",),
    ("context-ignored",),
    ("highest-loss-chosen",),
    ("padding-scored",),
    ("probabilities-averaged",),
    ("perplexity-by-length",),
)


# Seen in the weights after a whole run, where each part alone was right.
RUN_BUGS = _table(
    ("rate-never-set",),
    ("schedule-off-by-one", "late", "early"),
    ("cosine-to-zero",),
    ("accumulation-ignored",),
    ("same-batch-every-step",),
    ("not-clipped",),
    ("no-decay",),
    ("decay-on-everything",),
    ("betas-ignored",),
    ("no-shift",),
    ("first-shard-only",),
    ("shards-reordered",),
    ("validation-read",),
)
# Seen in the weights after a run that was killed and went on.
RESUME_BUGS = _table(
    ("resume-loses-the-optimizer",),
    ("resume-loses-the-place",),
    ("resume-loses-the-step", "in-the-schedule"),
)


def alone(table: Mapping[str, Sequence[str]]) -> list[oracle.Bugs]:
    """Every variant of every misconception of a table, each by itself."""
    return [frozenset({bug}) for bugs in table.values() for bug in bugs]


class Mistakes(Bugs):
    """Every variant of every misconception of a table alone, then any two together; computed when asked for."""

    def __init__(
        self, table: Mapping[str, Sequence[str]], answer: Callable[[oracle.Bugs], Any], *, pairs: bool = True
    ) -> None:
        self._answer_to = answer
        self._pairs = pairs
        self._variants = [(name, bug) for name, bugs in table.items() for bug in bugs]

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and answers, single mistakes first."""
        for name, bug in self._variants:
            yield name, partial(self._answer_to, frozenset({bug}))
        for (first, one), (second, other) in itertools.combinations(self._variants if self._pairs else [], 2):
            if first != second:
                yield f"{first}+{second}", partial(self._to_both, frozenset({one, other}))

    def _to_both(self, bugs: oracle.Bugs) -> Any:
        """Give None where nothing finite is left: NaN everywhere is explained by too many pairs to name one."""
        answer = self._answer_to(bugs)
        values = list(answer.values()) if isinstance(answer, Mapping) else [answer]
        return answer if all(np.isfinite(np.asarray(value, dtype=np.float64)).any() for value in values) else None
