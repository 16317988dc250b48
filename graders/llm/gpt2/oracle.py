"""GPT-2 in float64 numpy, from token ids to logits and loss, right or with any known mistake switched on.

Weights are a dict with the published names and shapes; a Conv1D weight is (in, out). `bugs` is a frozenset of names out
of misconceptions.py, `misconception` or `misconception/variant`; the empty set is the truth, and names combine.

Letters: B batch, T positions, C channels, H heads, D = C / H, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = Mapping[str, Array]
Bugs = frozenset[str]
NO_BUGS: Bugs = frozenset()

EPSILON = 1e-5
# What people put in its place: older and newer transformers, numpy habits, and none at all.
_OTHER_EPSILONS = {
    "layer-norm-epsilon/1e-6": 1e-6,
    "layer-norm-epsilon/1e-8": 1e-8,
    "layer-norm-epsilon/1e-12": 1e-12,
    "layer-norm-epsilon/none": 0.0,
    "layer-norm-epsilon/1e-3": 1e-3,
}


@dataclass(frozen=True)
class Config:
    """The five numbers of GPTConfig."""

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int

    def as_arguments(self) -> dict[str, int]:
        """What GPTConfig is called with."""
        return dict(vars(self))


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Every tensor of the published checkpoint with its shape, in the order of the network."""
    width = config.n_embd
    block: dict[str, tuple[int, ...]] = {
        "ln_1.weight": (width,),
        "ln_1.bias": (width,),
        "attn.c_attn.weight": (width, 3 * width),
        "attn.c_attn.bias": (3 * width,),
        "attn.c_proj.weight": (width, width),
        "attn.c_proj.bias": (width,),
        "ln_2.weight": (width,),
        "ln_2.bias": (width,),
        "mlp.c_fc.weight": (width, 4 * width),
        "mlp.c_fc.bias": (4 * width,),
        "mlp.c_proj.weight": (4 * width, width),
        "mlp.c_proj.bias": (width,),
    }
    blocks = {f"h.{layer}.{name}": shape for layer in range(config.n_layer) for name, shape in block.items()}
    embeddings = {"wte.weight": (config.vocab_size, width), "wpe.weight": (config.block_size, width)}
    return {**embeddings, **blocks, "ln_f.weight": (width,), "ln_f.bias": (width,)}


def parameter_count(config: Config) -> int:
    """How many numbers there are to learn; the head is the token embedding and counts once."""
    return sum(math.prod(shape) for shape in shapes(config).values())


def is_matrix(name: str) -> bool:
    """Whether a published tensor has two dimensions: these are the ones that decay."""
    return name.endswith("weight") and ".ln_" not in name and not name.startswith("ln_f")


def deviation(name: str, config: Config) -> float | None:
    """Standard deviation at the start; None for gains, which are one. Biases are zero."""
    if not is_matrix(name):
        return 0.0 if name.endswith("bias") else None
    return 0.02 / math.sqrt(2 * config.n_layer) if name.endswith("c_proj.weight") else 0.02


# ---- forward ---------------------------------------------------------------------------------------------------------


@np.errstate(all="ignore")  # some mistakes overflow
def logits(weights: Weights, config: Config, idx: NDArray[np.int64], bugs: Bugs = NO_BUGS) -> Array:
    """(B, T) token ids to (B, T, V) logits."""
    x = weights["wte.weight"][idx]
    if "embedding-scaled" in bugs:
        x = x * math.sqrt(config.n_embd)
    if "no-positions" not in bugs:
        x = x + weights["wpe.weight"][positions(config, idx.shape[1], bugs)]
    for layer in range(config.n_layer - 1 if "last-layer-skipped" in bugs else config.n_layer):
        used = 0 if "first-layer-repeated" in bugs else layer
        prefix = f"h.{used}."
        names = [name for name in weights if name.startswith(prefix)]
        x = _block({name.removeprefix(prefix): weights[name] for name in names}, x, config, bugs)
    if "no-final-norm" not in bugs:
        x = _norm(x, weights["ln_f.weight"], weights["ln_f.bias"], bugs)
    answer: Array = x @ weights["wte.weight"].T
    if "logits-normalised/softmax" in bugs:
        return softmax(answer)
    if "logits-normalised/log-softmax" in bugs:
        return log_softmax(answer)
    return answer


def positions(config: Config, length: int, bugs: Bugs = NO_BUGS) -> NDArray[np.int64]:
    """Which row of wpe each position takes."""
    right = np.arange(length)
    if "positions-restart/from-one" in bugs:
        return (right + 1) % config.block_size
    if "positions-restart/from-the-end" in bugs:
        return right + config.block_size - length
    if "positions-restart/reversed" in bugs:
        return right[::-1]
    if "positions-restart/half-way" in bugs:
        return right % max(length // 2, 1)
    if "positions-restart/always-the-first" in bugs:
        return np.zeros_like(right)
    return right


def _block(own: Weights, x: Array, config: Config, bugs: Bugs) -> Array:
    def norm(number: int, values: Array) -> Array:
        if "norms-swapped" in bugs:
            number = 3 - number
        missing = {1: "norm-missing/before-attention", 2: "norm-missing/before-mlp"}[number]
        if bugs & {missing, "norm-missing/both"}:
            return values
        return _norm(values, own[f"ln_{number}.weight"], own[f"ln_{number}.bias"], bugs)

    if "post-norm" in bugs:
        x = norm(1, x + _attention(own, x, config, bugs))
        return norm(2, x + _mlp(own, x, bugs))
    if "parallel-blocks" in bugs:
        return x + _attention(own, norm(1, x), config, bugs) + _mlp(own, norm(2, x), bugs)
    if "residual-of-the-norm" in bugs:
        x = norm(1, x)
        x = x + _attention(own, x, config, bugs)
        x = norm(2, x)
        return x + _mlp(own, x, bugs)
    after = _attention(own, norm(1, x), config, bugs)
    x = after if bugs & {"residual-missing/attention", "residual-missing/both"} else x + after
    after = _mlp(own, norm(2, x), bugs)
    return after if bugs & {"residual-missing/mlp", "residual-missing/both"} else x + after


def _norm(x: Array, gain: Array, shift: Array, bugs: Bugs) -> Array:
    epsilon = next((_OTHER_EPSILONS[bug] for bug in bugs if bug in _OTHER_EPSILONS), EPSILON)
    width = x.shape[-1]
    unbiased = "unbiased-variance" in bugs and width > 1
    mean = 0.0 if "norm-without-mean" in bugs else x.sum(-1, keepdims=True) / width
    centred = x - mean
    variance = x.var(-1, keepdims=True, ddof=1) if unbiased else (centred * centred).sum(-1, keepdims=True) / width
    if "layer-norm-epsilon/outside" in bugs:
        return centred / (np.sqrt(variance) + epsilon) * gain + shift
    return centred / np.sqrt(variance + epsilon) * gain + shift


def _conv1d(x: Array, weight: Array, bias: Array, bugs: Bugs) -> Array:
    """x @ weight + bias, (…, in) to (…, out); a learner who does not transpose reads the numbers in another order."""
    if "conv1d-not-transposed/viewed" in bugs:
        weight = weight.reshape(weight.shape[::-1]).T
    elif "conv1d-not-transposed/square" in bugs and weight.shape[0] == weight.shape[1]:
        weight = weight.T
    return x @ weight + bias


def _attention(own: Weights, x: Array, config: Config, bugs: Bugs) -> Array:
    """(B, T, C) to (B, T, C)."""
    batch, length, width = x.shape
    heads = 1 if "one-head" in bugs else config.n_head
    qkv = _conv1d(x, own["attn.c_attn.weight"], own["attn.c_attn.bias"], bugs)
    q, k, v = _heads(qkv, heads, bugs)
    scores = q @ k.swapaxes(-1, -2) * _scale(width, heads, bugs)
    weights = softmax(np.where(_visible(length, bugs), scores, -np.inf))
    merged = (weights @ v).transpose(0, 2, 1, 3)
    if "heads-interleaved" in bugs:
        merged = merged.swapaxes(-1, -2)
    if "heads-merged-by-reshape" in bugs:
        merged = merged.transpose(0, 2, 1, 3)
    return _conv1d(merged.reshape(batch, length, width), own["attn.c_proj.weight"], own["attn.c_proj.bias"], bugs)


def _heads(qkv: Array, heads: int, bugs: Bugs) -> tuple[Array, Array, Array]:
    """(B, T, 3C) to three times (B, H, T, D)."""
    batch, length, _ = qkv.shape
    if "qkv-interleaved" in bugs:  # each head's q, k and v side by side, as other model families keep them
        grid = qkv.reshape(batch, length, heads, 3, -1).transpose(3, 0, 2, 1, 4)
        return grid[0], grid[1], grid[2]
    width = qkv.shape[-1] // 3
    thirds = {letter: qkv[..., place * width : (place + 1) * width] for place, letter in enumerate("qkv")}
    order = next((bug.split("/")[1] for bug in bugs if bug.startswith("qkv-order/")), "qkv")

    def split(part: Array) -> Array:
        if "heads-split-by-reshape" in bugs:
            return part.reshape(batch, heads, length, -1)
        if "heads-interleaved" in bugs:
            return part.reshape(batch, length, -1, heads).transpose(0, 3, 1, 2)
        return part.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)

    q, k, v = (split(thirds[letter]) for letter in order)
    return q, k, v


def _scale(width: int, heads: int, bugs: Bugs) -> float:
    if "attention-scale/missing" in bugs:
        return 1.0
    if "attention-scale/by-model-width" in bugs:
        return width**-0.5
    return float((width // heads) ** -0.5)


def _visible(length: int, bugs: Bugs) -> NDArray[np.bool_]:
    """(T, T): whether the query in this row sees the key in this column."""
    further = {"sees-the-future/everything": length, "sees-the-future/one-position": 1}
    beyond = next((reach for name, reach in further.items() if name in bugs), 0)
    return np.tri(length, k=beyond, dtype=bool)


def _mlp(own: Weights, x: Array, bugs: Bugs) -> Array:
    hidden = _activation(_conv1d(x, own["mlp.c_fc.weight"], own["mlp.c_fc.bias"], bugs), bugs)
    return _conv1d(hidden, own["mlp.c_proj.weight"], own["mlp.c_proj.bias"], bugs)


def _activation(x: Array, bugs: Bugs) -> Array:
    if "exact-gelu" in bugs:
        return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))
    if "other-activation/relu" in bugs:
        return np.maximum(x, 0.0)
    if "other-activation/silu" in bugs:
        return x / (1.0 + np.exp(-x))
    if "other-activation/quick-gelu" in bugs:
        return x / (1.0 + np.exp(-1.702 * x))
    return gelu(x)


def gelu(x: Array) -> Array:
    """Half of x times 1 + tanh(√(2/π) (x + 0.044715 x³)): GPT-2's form, an approximation of x Φ(x)."""
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))


def softmax(scores: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    answer: Array = powers / powers.sum(-1, keepdims=True)
    return answer


def log_softmax(scores: Array) -> Array:
    """Over the last axis."""
    shifted = scores - scores.max(-1, keepdims=True)
    answer: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return answer


# ---- loss ------------------------------------------------------------------------------------------------------------


def losses(scores: Array, targets: NDArray[np.int64]) -> Array:
    """Minus the log-probability of each target, (B, T), in nats."""
    return -np.take_along_axis(log_softmax(scores), targets[..., None], -1)[..., 0]


def loss(scores: Array, idx: NDArray[np.int64], targets: NDArray[np.int64], bugs: Bugs = NO_BUGS) -> float:
    """The mean over all positions of all sequences."""
    if "shifted-twice" in bugs:
        return float(losses(scores[:, :-1], targets[:, 1:]).mean())
    if "targets-ignored/as-they-are" in bugs:
        return float(losses(scores, idx).mean())
    if "targets-ignored/shifted" in bugs:
        return float(losses(scores[:, :-1], idx[:, 1:]).mean())
    each = losses(scores, targets)
    if "loss-is-a-sum/over-everything" in bugs:
        return float(each.sum())
    if "loss-is-a-sum/over-positions" in bugs:
        return float(each.sum(1).mean())
    if "loss-is-a-sum/over-sequences" in bugs:
        return float(each.sum(0).mean())
    if "loss-of-the-last-position" in bugs:
        return float(each[:, -1].mean())
    return float(each.mean())
