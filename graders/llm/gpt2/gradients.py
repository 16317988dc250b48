"""The gradients of the loss with respect to every published tensor, derived by hand, in float64 numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .oracle import EPSILON, Array, Config, Weights, gelu, log_softmax, softmax

Gradients = dict[str, Array]
Ids = NDArray[np.int64]


def loss_and_gradients(weights: Weights, config: Config, idx: Ids, targets: Ids) -> tuple[float, Gradients]:
    """The mean loss over all positions, and its gradient for each tensor, named and shaped as published."""
    length = idx.shape[1]
    x = weights["wte.weight"][idx] + weights["wpe.weight"][:length]
    kept: list[dict[str, Array]] = []
    for layer in range(config.n_layer):
        x, trace = _block(weights, layer, x, config.n_head)
        kept.append(trace)
    normed, centred, deviation = _norm(x, weights["ln_f.weight"], weights["ln_f.bias"])
    scores = normed @ weights["wte.weight"].T
    value = -float(np.take_along_axis(log_softmax(scores), targets[..., None], -1).mean())

    d_scores = softmax(scores)
    np.put_along_axis(d_scores, targets[..., None], np.take_along_axis(d_scores, targets[..., None], -1) - 1.0, -1)
    d_scores /= targets.size
    found: Gradients = {"wte.weight": np.einsum("btv,btc->vc", d_scores, normed)}
    dx = _norm_back(d_scores @ weights["wte.weight"], weights, "ln_f", centred, deviation, found)
    for layer in reversed(range(config.n_layer)):
        dx = _block_back(weights, layer, dx, kept[layer], config.n_head, found)
    np.add.at(found["wte.weight"], idx, dx)
    found["wpe.weight"] = np.zeros_like(weights["wpe.weight"])
    found["wpe.weight"][:length] = dx.sum(0)
    return value, found


def mean_of(several: list[Mapping[str, Array]]) -> Gradients:
    """The gradients of the mean of several losses."""
    return {name: np.mean([one[name] for one in several], axis=0) for name in several[0]}


def _block(weights: Weights, layer: int, x: Array, heads: int) -> tuple[Array, dict[str, Array]]:
    def linear(name: str, values: Array) -> Array:
        return values @ weights[f"h.{layer}.{name}.weight"] + weights[f"h.{layer}.{name}.bias"]

    def norm(name: str, values: Array) -> tuple[Array, Array, Array]:
        return _norm(values, weights[f"h.{layer}.{name}.weight"], weights[f"h.{layer}.{name}.bias"])

    length, width = x.shape[1:]
    trace: dict[str, Array] = {}
    trace["seen"], trace["centred_1"], trace["deviation_1"] = norm("ln_1", x)
    q, k, v = (_split(part, heads) for part in np.split(linear("attn.c_attn", trace["seen"]), 3, axis=-1))
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(width // heads)
    attention = softmax(np.where(np.tri(length, dtype=bool), scores, -np.inf))
    trace |= {"q": q, "k": k, "v": v, "attention": attention, "merged": _merge(attention @ v)}
    x = x + linear("attn.c_proj", trace["merged"])
    trace["read"], trace["centred_2"], trace["deviation_2"] = norm("ln_2", x)
    trace["before"] = linear("mlp.c_fc", trace["read"])
    trace["hidden"] = gelu(trace["before"])
    return x + linear("mlp.c_proj", trace["hidden"]), trace


def _block_back(
    weights: Weights, layer: int, dx: Array, trace: Mapping[str, Array], heads: int, found: Gradients
) -> Array:
    def linear(name: str, d_out: Array, values: Array) -> Array:
        found[f"h.{layer}.{name}.weight"] = np.einsum("bti,bto->io", values, d_out)
        found[f"h.{layer}.{name}.bias"] = d_out.sum((0, 1))
        return d_out @ weights[f"h.{layer}.{name}.weight"].T

    d_before = linear("mlp.c_proj", dx, trace["hidden"]) * _gelu_slope(trace["before"])
    d_read = linear("mlp.c_fc", d_before, trace["read"])
    dx = dx + _norm_back(d_read, weights, f"h.{layer}.ln_2", trace["centred_2"], trace["deviation_2"], found)

    d_out = _split(linear("attn.c_proj", dx, trace["merged"]), heads)
    attention = trace["attention"]
    d_attention = d_out @ trace["v"].swapaxes(-1, -2)
    d_scores = attention * (d_attention - (d_attention * attention).sum(-1, keepdims=True))
    d_scores /= math.sqrt(trace["q"].shape[-1])
    d_q, d_k = d_scores @ trace["k"], d_scores.swapaxes(-1, -2) @ trace["q"]
    d_v = attention.swapaxes(-1, -2) @ d_out
    d_qkv = np.concatenate([_merge(part) for part in (d_q, d_k, d_v)], axis=-1)
    d_seen = linear("attn.c_attn", d_qkv, trace["seen"])
    return dx + _norm_back(d_seen, weights, f"h.{layer}.ln_1", trace["centred_1"], trace["deviation_1"], found)


def _split(channels: Array, heads: int) -> Array:
    """(B, T, C) to (B, H, T, D)."""
    batch, length, _ = channels.shape
    return channels.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)


def _merge(heads: Array) -> Array:
    """(B, H, T, D) to (B, T, C)."""
    batch, _, length, _ = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(batch, length, -1)


def _norm(x: Array, gain: Array, shift: Array) -> tuple[Array, Array, Array]:
    """The layer norm, and on the way x with mean zero and deviation one, and the deviation that it had."""
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    unit = centred / deviation
    return unit * gain + shift, unit, deviation


def _norm_back(d_out: Array, weights: Weights, name: str, unit: Array, deviation: Array, found: Gradients) -> Array:
    found[f"{name}.weight"] = (d_out * unit).sum((0, 1))
    found[f"{name}.bias"] = d_out.sum((0, 1))
    d_unit = d_out * weights[f"{name}.weight"]
    inner = d_unit - d_unit.mean(-1, keepdims=True) - unit * (d_unit * unit).mean(-1, keepdims=True)
    answer: Array = inner / deviation
    return answer


def _gelu_slope(x: Array) -> Array:
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    slope = math.sqrt(2.0 / math.pi) * (1.0 + 3 * 0.044715 * x**2)
    bent = np.tanh(inner)
    answer: Array = 0.5 * (1.0 + bent) + 0.5 * x * (1.0 - bent**2) * slope
    return answer
