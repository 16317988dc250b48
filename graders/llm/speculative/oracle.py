"""What is right, in float64: the logits of the plain GPT, what a cache must reproduce, and filtered distributions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

Bugs = frozenset[str]
NO_BUGS: Bugs = frozenset()
EPSILON = 1e-5


@dataclass(frozen=True)
class Config:
    """Sizes of a model, under the names that the brief gives them."""

    vocab_size: int
    context: int
    n_layers: int
    n_heads: int
    width: int

    def as_dict(self) -> dict[str, int]:
        """The sizes as they are sent."""
        return asdict(self)


@dataclass(frozen=True)
class Model:
    """A GPT: its sizes, and its weights by name, in the dtype in which they are sent."""

    config: Config
    weights: dict[str, np.ndarray]

    @cached_property
    def exact(self) -> dict[str, np.ndarray]:
        """The weights in float64."""
        return {name: array.astype(np.float64) for name, array in self.weights.items()}

    def with_head(self, head: np.ndarray) -> Model:
        """The same model with another matrix at its end."""
        return replace(self, weights={**self.weights, "head": head.astype(self.weights["head"].dtype)})


@dataclass(frozen=True)
class Cache:
    """Keys and values of each layer, each (B, T, H, D), and in how many calls they came."""

    keys: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    calls: int = 1


def logits(model: Model, sequences: Any, bugs: Bugs = NO_BUGS) -> np.ndarray:
    """The logits after every position of each sequence, (B, T, V) for (B, T) ids."""
    return step(model, np.atleast_2d(np.asarray(sequences)), None, bugs)[0]


def chunked(model: Model, chunks: Sequence[Sequence[int]], bugs: Bugs = NO_BUGS) -> list[np.ndarray]:
    """The logits that cached_forward gives for each chunk of one sequence, fed one after the other."""
    cache, answers = None, []
    for chunk in chunks:
        new, cache = step(model, np.asarray([chunk]), cache, bugs)
        answers.append(new[0])
    return answers


def step(model: Model, tokens: np.ndarray, cache: Cache | None, bugs: Bugs = NO_BUGS) -> tuple[np.ndarray, Cache]:
    """Logits of new tokens, (B, n) ids, behind those that the cache holds."""
    config = model.config
    w = model.exact
    past = 0 if cache is None else cache.keys[0].shape[1]
    new = tokens.shape[1]
    x = w["token_embedding"][tokens] + w["position_embedding"][_positions(past, new, cache, config.context, bugs)]
    keys, values = [], []
    for index in range(config.n_layers):
        layer = f"layer.{index}."
        qkv = _normalized(x, w, layer + "norm_1") @ w[layer + "w_qkv"] + w[layer + "b_qkv"]
        q, own_keys, own_values = (
            part.reshape(*tokens.shape, config.n_heads, -1) for part in np.split(qkv, 3, axis=-1)
        )
        source = config.n_layers - 1 if "layers-share-one-cache" in bugs else index
        k, v = own_keys, own_values
        if cache is not None and bugs.isdisjoint(("cache-ignored/lost", "cache-ignored/plain")):
            k = np.concatenate((cache.keys[source], own_keys), axis=1)
            v = np.concatenate((cache.values[source], own_values), axis=1)
        x = x + _attention(q, k, v, bugs) @ w[layer + "w_out"] + w[layer + "b_out"]
        hidden = _gelu(_normalized(x, w, layer + "norm_2") @ w[layer + "w_up"] + w[layer + "b_up"], bugs)
        x = x + hidden @ w[layer + "w_down"] + w[layer + "b_down"]
        keys.append(own_keys if "cache-holds-last-chunk" in bugs else k)
        values.append(own_values if "cache-holds-last-chunk" in bugs else v)
    end = x if "no-final-norm" in bugs else _normalized(x, w, "norm")
    return end @ w["head"], Cache(tuple(keys), tuple(values), 1 if cache is None else cache.calls + 1)


def _positions(past: int, new: int, cache: Cache | None, context: int, bugs: Bugs) -> np.ndarray:
    first = past
    if "positions-restart" in bugs or "cache-ignored/plain" in bugs:
        first = 0
    elif "positions-count-calls" in bugs:
        first = 0 if cache is None else cache.calls
    elif "positions-off-by-one/back" in bugs:
        first = max(past - 1, 0)
    elif "positions-off-by-one/ahead" in bugs:
        first = past + 1 if past else 0
    return np.minimum(np.arange(first, first + new), context - 1)


def _attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, bugs: Bugs) -> np.ndarray:
    new, total = q.shape[1], k.shape[1]
    past = total - new
    if "no-mask-within-chunk" in bugs or ("no-mask-within-chunk/later" in bugs and past):
        visible = np.ones((new, total), dtype=bool)
    else:
        visible = np.tril(np.ones((new, total), dtype=bool), 0 if "mask-ignores-the-past" in bugs else past)
    if "cache-ignored/hidden" in bugs and past:
        visible[:, :past] = False
    if "sees-one-token-too-far" in bugs:
        visible |= np.tril(np.ones((new, total), dtype=bool), past + 1)
    scale = 1.0 if "missing-scale" in bugs else q.shape[-1] ** -0.5
    scores = np.where(visible[None, None], np.einsum("bqhd,bkhd->bhqk", q, k) * scale, -np.inf)
    z = np.einsum("bhqk,bkhd->bqhd", softmax(scores), v)
    return z.reshape(*z.shape[:2], -1)


def _normalized(x: np.ndarray, w: dict[str, np.ndarray], name: str) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    answer: np.ndarray = centred / spread * w[name + ".gain"] + w[name + ".bias"]
    return answer


def _gelu(x: np.ndarray, bugs: Bugs) -> np.ndarray:
    if "exact-gelu" in bugs:
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2.0)))
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    answer: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return answer


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """The distribution that is sampled from at this temperature; at 0 all of it lies on the largest logit."""
    if temperature == 0:
        answer: np.ndarray = np.eye(scores.shape[-1])[scores.argmax(axis=-1)]
        return answer
    return softmax(scores / temperature)


def greedy(model: Model, prompt: Sequence[int], count: int) -> list[int]:
    """The tokens of the plain loop, which appends the likeliest token again and again."""
    return greedy_with_lead(model, prompt, count)[0]


def greedy_with_lead(model: Model, prompt: Sequence[int], count: int) -> tuple[list[int], float]:
    """The same, and by how much the chosen logits lead over the next ones at least."""
    made: list[int] = []
    new, cache, lead = list(prompt), None, np.inf
    while len(made) < count:
        scores, cache = step(model, np.array([new]), cache)
        second, first = np.partition(scores[0, -1], -2)[-2:]
        lead = min(lead, float(first - second))
        new = [int(scores[0, -1].argmax())]
        made += new
    return made, lead


def sequence_probabilities(model: Model, prompt: Sequence[int], count: int, temperature: float) -> np.ndarray:
    """Probability of every continuation by `count` tokens: an array with `count` axes of V."""
    size = model.config.vocab_size
    ways = np.array(list(itertools.product(range(size), repeat=count)))
    prompts = np.tile(np.asarray(prompt), (len(ways), 1))
    scores = logits(model, np.concatenate((prompts, ways), axis=1)[:, :-1])[:, len(prompt) - 1 :]
    steps = np.take_along_axis(tempered(scores, temperature), ways[:, :, None], axis=2)[:, :, 0]
    answer: np.ndarray = steps.prod(axis=1).reshape((size,) * count)
    return answer


@dataclass(frozen=True)
class Filter:
    """How one token is asked for: the settings of generate."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def settings(self) -> dict[str, float]:
        """The keyword arguments, without those that are left out."""
        named = {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        return {name: value for name, value in named.items() if value is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.settings().items())


def filtered(scores: np.ndarray, asked: Filter, bugs: Bugs = NO_BUGS) -> np.ndarray:
    """The distribution of one token, (V,): temperature, then the top k, then the top p of those, scaled to sum to 1."""
    p = tempered(scores, _mistaken_temperature(asked.temperature, bugs))
    order = np.argsort(-p, kind="stable")
    kept = order[: _top_k(asked, len(p), bugs)]
    unscaled = any(bug.startswith("top-k-not-renormalised") for bug in bugs)
    if asked.top_p is not None and "top-p-ignored" not in bugs:
        judged = tempered(scores, 1.0) if "top-p-before-temperature" in bugs else p
        share = judged[kept] if unscaled else judged[kept] / judged[kept].sum()
        if "top-p-keeps-the-tail" in bugs:
            kept, share = kept[::-1], share[::-1]
        count = 1 + int((np.cumsum(share)[:-1] < asked.top_p).sum())
        count += ("top-p-off-by-one/many" in bugs) - ("top-p-off-by-one/few-at-one-too" in bugs)
        count -= "top-p-off-by-one/few" in bugs and asked.top_p < 1
        kept = kept[: max(count, 1)]
    chances = np.zeros(len(p))
    chances[kept] = p[kept]
    for name, place in (("last-id", -1), ("first-id", 0)):
        if f"top-k-not-renormalised/{name}" in bugs and asked.top_p is None:
            chances[place] += 1 - chances.sum()  # what the sums do not reach falls to one end
    cut = asked.top_p is not None and asked.top_p < 1
    if "ranks-returned-as-ids/always" in bugs or ("ranks-returned-as-ids/nucleus" in bugs and cut):
        chances = chances[order]
    return chances / chances.sum()


def _mistaken_temperature(temperature: float, bugs: Bugs) -> float:
    if "temperature-ignored" in bugs:
        return 1.0
    return 1 / temperature if "temperature-inverted" in bugs and temperature else temperature


def _top_k(asked: Filter, size: int, bugs: Bugs) -> int:
    if asked.top_k is None or "top-k-ignored" in bugs:
        return size
    shift = ("top-k-off-by-one/many" in bugs) - ("top-k-off-by-one/few" in bugs)
    return max(1, min(asked.top_k + shift, size))
