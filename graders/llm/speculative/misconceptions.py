"""The mistakes that this grader knows: in which variants they are made, and in which checks they are looked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from deepfield_cli.grading import Bugs

# A name with a slash is a variant; the learner is told the part before it.
FORWARD = ("no-mask-within-chunk", "sees-one-token-too-far", "missing-scale", "exact-gelu", "no-final-norm")
CACHE = (
    "positions-restart",
    "positions-count-calls",
    "positions-off-by-one/back",
    "positions-off-by-one/ahead",
    "cache-ignored/hidden",
    "cache-ignored/lost",
    "cache-ignored/plain",
    "cache-holds-last-chunk",
    "layers-share-one-cache",
    "mask-ignores-the-past",
    "no-mask-within-chunk",
    "no-mask-within-chunk/later",
)

TEMPERATURE = ("temperature-ignored", "temperature-inverted")
FILTERS = (
    "top-p-off-by-one/few",
    "top-p-off-by-one/few-at-one-too",
    "top-p-off-by-one/many",
    "top-k-off-by-one/few",
    "top-k-off-by-one/many",
    "top-k-not-renormalised/nucleus",
    "top-k-not-renormalised/last-id",
    "top-k-not-renormalised/first-id",
    "top-p-before-temperature",
    "top-p-keeps-the-tail",
    "top-k-ignored",
    "top-p-ignored",
    "ranks-returned-as-ids/nucleus",
    "ranks-returned-as-ids/always",
    *TEMPERATURE,
)

# What goes wrong in a speculative step, where it shows in the tokens.
STEPS = (
    "residual-from-target",
    "ratio-inverted",
    "argmax-acceptance/residual",
    "argmax-acceptance/target",
    "argmax-acceptance/argmax",
    "temperature-on-one-model/not-target",
    *TEMPERATURE,
    "same-random-number/residual",
    "same-random-number/block",
    "same-random-number/draft",
    "accepts-after-rejection",
    "accepts-if-likelier",
    "accepts-with-target-probability",
    "always-accepts",
    "bonus-from-draft",
    "last-token-from-wrong-row",
    "verifies-wrong-row",
    "residual-from-draft",
    "residual-not-clipped",
    "residual-is-argmax",
    "draft-is-greedy",
    # last: what a stale cache may hold takes seconds to follow
    "cache-not-rolled-back",
)
# Those that show at temperature 0 as well, where a rule that accepts everything shows as that, whatever made it so.
GREEDY_STEPS = (
    "cache-not-rolled-back",
    "always-accepts",
    "accepts-after-rejection",
    "bonus-from-draft",
    "last-token-from-wrong-row",
    "residual-from-draft",
)
# What leaves the tokens as they should be, and shows in the counts.
COUNTS = (
    "no-bonus-token",
    "draft-cache-out-of-step",
    "draft-cache-not-rolled-back",
    "never-accepts",
    "verifies-wrong-row",
    "stats-count-otherwise/bonus",
    "stats-count-otherwise/looked-at",
    "stats-count-otherwise/positions",
    "stats-count-otherwise/prefill",
    "proposes-more-than-left/by-one",
    "proposes-more-than-left/gamma",
)
ACCEPTANCE = ("temperature-on-one-model/not-draft", *COUNTS)


def name_of(bug: str) -> str:
    """The misconception that a variant belongs to."""
    return bug.partition("/")[0]


class Variants(Bugs):
    """Every variant of some misconceptions, then any two together; the learner is told the misconception's name."""

    def __init__(
        self, variants: Sequence[str], answer: Callable[[frozenset[str]], Any], *, pairs: bool = False
    ) -> None:
        self._variants = list(variants)
        self._answer_to = answer
        self._pairs = pairs

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and answers, single mistakes first."""
        for bug in self._variants:
            yield name_of(bug), partial(self._answer_to, frozenset({bug}))
        for first, second in itertools.combinations(self._variants, 2) if self._pairs else ():
            if name_of(first) != name_of(second):
                names = f"{name_of(first)}+{name_of(second)}"
                yield names, partial(self._answer_to, frozenset({first, second}))
