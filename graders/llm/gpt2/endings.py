"""HellaSwag's question: which of some endings does the model find likeliest, token for token; and how one errs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .oracle import NO_BUGS, Array, Bugs
from .stream import Tokens

# How a row of token ids, (T,), becomes the log-probabilities of what follows each, (T, V).
Model = Callable[[Tokens], Array]


@dataclass(frozen=True)
class Item:
    """One question."""

    context: list[int]
    endings: list[list[int]]


def choose(model: Model, item: Item, bugs: Bugs = NO_BUGS) -> int:
    """The number of the ending with the lowest score."""
    found = scores(model, item, bugs)
    return int(np.argmax(found) if "highest-loss-chosen" in bugs else np.argmin(found))


def scores(model: Model, item: Item, bugs: Bugs = NO_BUGS) -> Array:
    """For each ending the mean loss over its own tokens, in nats."""
    return np.array([_score(model, item, ending, bugs) for ending in item.endings])


def _score(model: Model, item: Item, ending: Sequence[int], bugs: Bugs) -> float:
    context = [] if "context-ignored" in bugs else list(item.context)
    padding = max(map(len, item.endings)) - len(ending) if "padding-scored" in bugs else 0
    tokens = np.array([*context, *ending, *[0] * padding])
    known = model(tokens)
    first, last = len(context), len(tokens)
    if "context-ignored" in bugs or "context-scored/everything" in bugs:
        first = 1
    if "context-scored/its-last-token" in bugs:
        first = max(first - 1, 1)
    if "first-ending-token-skipped" in bugs:
        first += 1
    if "last-ending-token-skipped" in bugs:
        last -= 1
    places = np.arange(first, last)
    if "ending-off-by-one/late" in bugs:
        logits_at = places
    elif "ending-off-by-one/early" in bugs:
        logits_at = np.maximum(places - 2, 0)
    else:
        logits_at = places - 1
    likelihood = known[logits_at, tokens[places]]
    if "ending-summed" in bugs:
        return -float(likelihood.sum())
    if "probabilities-averaged" in bugs:
        return -float(np.exp(likelihood).mean())
    if "perplexity-by-length" in bugs:
        return -float(likelihood.sum()) / len(tokens)
    return -float(likelihood.mean())
