"""Causal multi-head attention and its five gradients in float64 numpy, right or with any known mistake switched on.

Every function takes `bugs`, a frozenset of names. The empty set is the truth; a name out of misconceptions.py
gives the answer of somebody who made that mistake. Names combine, so the answer to two mistakes at once can be had too.
A name is `misconception` or `misconception/variant`: one misunderstanding can be typed in several ways.

Letters: B batch, T positions, C channels, H heads, D = C / H channels of one head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bugs = frozenset[str]
NO_BUGS: Bugs = frozenset()

GRADIENT_NAMES = ("x", "w_qkv", "b_qkv", "w_out", "b_out")


@dataclass(frozen=True)
class Inputs:
    """The six arguments of attention_forward, in its order; float32 arrays are taken as well."""

    x: Array  # (B, T, C)
    w_qkv: Array  # (C, 3C)
    b_qkv: Array  # (3C,)
    w_out: Array  # (C, C)
    b_out: Array  # (C,)
    n_heads: int


@dataclass(frozen=True)
class Trace:
    """What the forward pass leaves behind for the backward pass."""

    queries: Array  # (B, H, T, D)
    keys: Array  # (B, H, T, D)
    values: Array  # (B, H, T, D)
    scores: Array  # (B, H, T, T), scaled, before the mask
    weights: Array  # (B, H, T, T), each row sums to one
    merged: Array  # (B, T, C), the heads side by side
    output: Array  # (B, T, C)


def forward(inputs: Inputs, bugs: Bugs = NO_BUGS) -> Array:
    """Return y, (B, T, C)."""
    return trace(inputs, bugs).output


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def trace(inputs: Inputs, bugs: Bugs = NO_BUGS) -> Trace:
    """Run the forward pass and keep all of it."""
    double = _in_float64(inputs)
    qkv = double.x @ double.w_qkv
    if not bugs & {"bias-missing/qkv", "bias-missing/both"}:
        qkv = qkv + double.b_qkv
    queries, keys, values = _heads(qkv, double.n_heads, bugs)
    scores = (queries @ keys.swapaxes(-1, -2)) * _scale(double.x.shape[-1], double.n_heads, bugs)
    weights = _weights(scores, bugs)
    attended = weights @ values
    if "scale-after-softmax" in bugs:
        attended = attended * float(values.shape[-1] ** -0.5)
    merged = _merge(attended, bugs)
    output = _output(double, merged, _merge(values, bugs), bugs)
    return Trace(queries, keys, values, scores, weights, merged, output)


def _in_float64(inputs: Inputs) -> Inputs:
    arrays = (inputs.x, inputs.w_qkv, inputs.b_qkv, inputs.w_out, inputs.b_out)
    x, w_qkv, b_qkv, w_out, b_out = (np.asarray(array, dtype=np.float64) for array in arrays)
    return Inputs(x, w_qkv, b_qkv, w_out, b_out, inputs.n_heads)


# ---- heads -----------------------------------------------------------------------------------------------------------


def _heads(qkv: Array, heads: int, bugs: Bugs) -> tuple[Array, Array, Array]:
    """(B, T, 3C) to three times (B, H, T, D)."""
    batch, length, _ = qkv.shape
    if "qkv-interleaved/head-major" in bugs:
        grid = qkv.reshape(batch, length, heads, 3, -1).transpose(3, 0, 2, 1, 4)
        return grid[0], grid[1], grid[2]
    if "qkv-interleaved/channel-major" in bugs:
        grid = qkv.reshape(batch, length, heads, -1, 3).transpose(4, 0, 2, 1, 3)
        return grid[0], grid[1], grid[2]
    thirds = dict(zip("qkv", np.split(qkv, 3, axis=-1), strict=True))
    order = next((bug.split("/")[1] for bug in bugs if bug.startswith("qkv-order/")), "qkv")
    q, k, v = (_split(thirds[letter], heads, bugs) for letter in order)
    return q, k, v


def _split(channels: Array, heads: int, bugs: Bugs) -> Array:
    """(B, T, C) to (B, H, T, D)."""
    batch, length, width = channels.shape
    size = width // heads
    if bugs & {"heads-split-by-reshape/merged-by-transpose", "heads-split-by-reshape/merged-by-reshape"}:
        return channels.reshape(batch, heads, length, size)
    if bugs & {"head-count-and-size-swapped/scale-by-count", "head-count-and-size-swapped/scale-by-size"}:
        return channels.reshape(batch, length, size, heads).transpose(0, 2, 1, 3)
    if "heads-interleaved" in bugs:
        return channels.reshape(batch, length, size, heads).transpose(0, 3, 1, 2)
    return channels.reshape(batch, length, heads, size).transpose(0, 2, 1, 3)


def _merge(attended: Array, bugs: Bugs) -> Array:
    """(B, H, T, D) to (B, T, C)."""
    batch, heads, length, size = attended.shape
    shape = (batch, length, heads * size)
    if bugs & {"heads-merged-by-reshape", "heads-split-by-reshape/merged-by-reshape"}:
        return attended.reshape(shape)
    if "heads-interleaved" in bugs:
        return attended.transpose(0, 2, 3, 1).reshape(shape)
    return attended.transpose(0, 2, 1, 3).reshape(shape)


def _scale(width: int, heads: int, bugs: Bugs) -> float:
    size = width // heads
    if bugs & {"missing-scale", "scale-after-softmax"}:
        return 1.0
    if "scale-by-model-width" in bugs:
        return float(width**-0.5)
    if "scale-applied-twice" in bugs:
        return 1.0 / size
    if bugs & {"scale-by-head-count", "head-count-and-size-swapped/scale-by-count"}:
        return float(heads**-0.5)
    if "scale-inverted" in bugs:
        return float(size**0.5)
    return float(size**-0.5)


# ---- mask and softmax ------------------------------------------------------------------------------------------------


def _weights(scores: Array, bugs: Bugs) -> Array:
    """(B, H, T, T) logits to attention weights."""
    visible = _visible(scores.shape[-1], bugs)
    if "uniform-average" in bugs:
        return np.broadcast_to(visible / visible.sum(-1, keepdims=True), scores.shape)
    if "softmax-missing" in bugs:
        return np.where(visible, scores, 0.0)
    if "mask-after-softmax" in bugs:
        return _softmax(scores, -1, bugs) * visible
    if bugs & {"max-includes-the-future/nan", "max-includes-the-future/zero"}:
        return _normalised_after_shift(scores, scores.max(-1, keepdims=True), visible, bugs)
    axis = -2 if "softmax-wrong-axis/queries" in bugs else 1 if "softmax-wrong-axis/heads" in bugs else -1
    weights = _softmax(_masked(_clamped(scores, bugs), visible, bugs), axis, bugs)
    return _first_row(weights, scores, bugs)


def _visible(length: int, bugs: Bugs) -> Array:
    """Row t is True where position t may look."""
    if "no-mask" in bugs:
        return np.ones((length, length), dtype=bool)
    hides_diagonal = any(bug.startswith("mask-hides-diagonal/") for bug in bugs)
    offset = -1 if hides_diagonal else 1 if "mask-one-future" in bugs else 0
    visible = np.tril(np.ones((length, length), dtype=bool), offset)
    return visible.T if "mask-reversed" in bugs else visible


def _masked(scores: Array, visible: Array, bugs: Bugs) -> Array:
    if "mask-with-zero" in bugs:
        return np.where(visible, scores, 0.0)
    for bug in bugs:
        if bug.startswith("mask-is-finite/"):
            how, size = bug.split("/")[1].split("-", 1)
            hidden = -float(size) + (scores if how == "add" else 0.0)
            return np.where(visible, scores, hidden)
    return np.where(visible, scores, -np.inf)


def _clamped(scores: Array, bugs: Bugs) -> Array:
    """Any limit between about 30 and the float32 overflow at 88 gives the same answer when logits are enormous."""
    limit = 60.0
    if "logits-clamped/above" in bugs:
        return np.minimum(scores, limit)
    return np.clip(scores, -limit, limit) if "logits-clamped/both" in bugs else scores


def _softmax(logits: Array, axis: int, bugs: Bugs) -> Array:
    shift = logits.max(axis, keepdims=True)
    if bugs & {"softmax-without-max/nan", "softmax-without-max/zero"}:
        shift = np.zeros_like(shift)
    elif "max-over-everything/all" in bugs:
        shift = np.full_like(shift, logits.max())
    elif "max-over-everything/head" in bugs:
        shift = np.broadcast_to(logits.max((-1, -2), keepdims=True), shift.shape)
    powers = np.exp(logits - shift)
    weights: Array = powers / powers.sum(axis, keepdims=True)
    return np.nan_to_num(weights, nan=0.0) if "softmax-without-max/zero" in bugs else weights


def _normalised_after_shift(scores: Array, shift: Array, visible: Array, bugs: Bugs) -> Array:
    powers = np.exp(scores - shift) * visible
    weights: Array = powers / powers.sum(-1, keepdims=True)
    return np.nan_to_num(weights, nan=0.0) if "max-includes-the-future/zero" in bugs else weights


def _first_row(weights: Array, scores: Array, bugs: Bugs) -> Array:
    """Fill the row of position 0, which sees nothing once the diagonal is hidden, as each kind of mask would."""
    if "mask-hides-diagonal/uniform" in bugs:  # every logit is the same large negative number
        weights[..., 0, :] = 1.0 / weights.shape[-1]
    if "mask-hides-diagonal/zero" in bugs:  # NaN wiped away
        weights[..., 0, :] = 0.0
    if "mask-hides-diagonal/unmasked" in bugs:  # a finite number added to every logit cancels
        weights[..., 0, :] = _softmax(scores[..., 0, :], -1, NO_BUGS)
    return weights


def _output(inputs: Inputs, merged: Array, merged_values: Array, bugs: Bugs) -> Array:
    if "values-passed-through/bare" in bugs:
        return merged_values
    if "values-passed-through/projected" in bugs:
        merged = merged_values
    if "output-projection-missing" in bugs:
        return merged
    output = merged @ (inputs.w_out.T if "w-out-transposed" in bugs else inputs.w_out)
    if not bugs & {"bias-missing/out", "bias-missing/both"}:
        output = output + inputs.b_out
    return output + inputs.x if "residual-added" in bugs else output


# ---- backward --------------------------------------------------------------------------------------------------------


def gradients(inputs: Inputs, dy: Array, bugs: Bugs = NO_BUGS) -> dict[str, Array]:
    """Differentiate sum(dy * y) with respect to each of the five arrays."""
    double = _in_float64(inputs)
    dy = np.asarray(dy, dtype=np.float64)
    kept = trace(double, bugs)
    d_qkv = _d_qkv(double, dy, kept, bugs)
    d_w_qkv = _flat(double.x).T @ _flat(d_qkv)
    d_w_out = _flat(_activation(double, kept, bugs)).T @ _flat(dy)
    answer = {
        "x": _dx(double, dy, d_qkv, bugs),
        "w_qkv": d_w_qkv,
        "b_qkv": _bias_gradient(d_qkv, bugs),
        "w_out": d_w_out,
        "b_out": _bias_gradient(dy, bugs),
    }
    return _spoiled(answer, double, kept, dy, d_qkv, bugs)


def _d_qkv(inputs: Inputs, dy: Array, kept: Trace, bugs: Bugs) -> Array:
    """Go back as far as x @ w_qkv + b_qkv, (B, T, 3C)."""
    split_bugs, merge_bugs = _reshape_bugs(bugs)
    d_heads = _split(_d_merged(inputs, dy, bugs), inputs.n_heads, split_bugs)  # (B, H, T, D)
    leaks = "gradient-leaks-through-mask/weights" in bugs
    weights = _softmax(kept.scores, -1, NO_BUGS) if leaks else kept.weights
    d_values = _transposed_unless("dv", weights, bugs) @ d_heads
    d_scores = _d_scores(kept, weights, d_heads, bugs)
    scale_q, scale_k = _backward_scales(kept.queries.shape[-1], bugs)
    d_queries = d_scores @ kept.keys * scale_q
    d_keys = _transposed_unless("dk", d_scores, bugs) @ kept.queries * scale_k
    thirds = [_merge(part, merge_bugs) for part in (d_queries, d_keys, d_values)]
    if "dk-dv-swapped" in bugs:
        thirds = [thirds[0], thirds[2], thirds[1]]
    if "dq-dk-swapped" in bugs:
        thirds = [thirds[1], thirds[0], thirds[2]]
    return np.concatenate(thirds, axis=-1)


def _d_merged(inputs: Inputs, dy: Array, bugs: Bugs) -> Array:
    if "w-out-not-transposed-in-backward/skipped" in bugs:
        return dy
    return dy @ (inputs.w_out if "w-out-not-transposed-in-backward/as-is" in bugs else inputs.w_out.T)


def _reshape_bugs(bugs: Bugs) -> tuple[Bugs, Bugs]:
    split = bugs & {"heads-reshaped-in-backward/split", "heads-reshaped-in-backward/both"}
    merge = bugs & {"heads-reshaped-in-backward/merge", "heads-reshaped-in-backward/both"}
    return (
        frozenset({"heads-split-by-reshape/merged-by-transpose"}) if split else NO_BUGS,
        frozenset({"heads-merged-by-reshape"}) if merge else NO_BUGS,
    )


def _transposed_unless(path: str, square: Array, bugs: Bugs) -> Array:
    forgotten = bugs & {f"attention-not-transposed/{path}", "attention-not-transposed/both"}
    return square if forgotten else square.swapaxes(-1, -2)


def _d_scores(kept: Trace, weights: Array, d_heads: Array, bugs: Bugs) -> Array:
    """Softmax backwards: row by row, dS = P * (dP - sum(P * dP))."""
    d_weights = d_heads @ kept.values.swapaxes(-1, -2)
    if "gradient-leaks-through-mask/scores" in bugs:
        weights = _softmax(kept.scores, -1, NO_BUGS)
    if "jacobian-without-row-sum/elementwise" in bugs:
        return weights * (1.0 - weights) * d_weights
    return weights * (d_weights - _row_term(weights, d_weights, bugs))


def _row_term(weights: Array, d_weights: Array, bugs: Bugs) -> Array | float:
    """One number for each row: a softmax cannot raise one weight without lowering the others."""
    term: Array = (weights * d_weights).sum(-1, keepdims=True)
    if "jacobian-without-row-sum/dropped" in bugs:
        return 0.0
    if "jacobian-row-sum-wrong/queries" in bugs:
        term = (weights * d_weights).sum(-2, keepdims=True)
    if "jacobian-row-sum-wrong/unweighted" in bugs:
        term = d_weights.sum(-1, keepdims=True)
    if "jacobian-row-sum-wrong/mean" in bugs:
        term = term / weights.shape[-1]
    return term


def _backward_scales(size: int, bugs: Bugs) -> tuple[float, float]:
    if "scale-twice-in-backward" in bugs:
        return 1.0 / size, 1.0 / size
    right = float(size**-0.5)
    both = "scale-missing-in-backward/both" in bugs
    return (
        1.0 if both or "scale-missing-in-backward/dq" in bugs else right,
        1.0 if both or "scale-missing-in-backward/dk" in bugs else right,
    )


def _activation(inputs: Inputs, kept: Trace, bugs: Bugs) -> Array:
    """Return what w_out was multiplied with, (B, T, C)."""
    if "dw-out-wrong-activation/x" in bugs:
        return inputs.x
    if "dw-out-wrong-activation/values" in bugs:
        return _merge(kept.values, NO_BUGS)
    if "dw-out-wrong-activation/y" in bugs:
        return kept.output
    if "dw-out-wrong-activation/unmerged-heads" in bugs:
        return _merge(kept.weights @ kept.values, frozenset({"heads-merged-by-reshape"}))
    return kept.merged


def _dx(inputs: Inputs, dy: Array, d_qkv: Array, bugs: Bugs) -> Array:
    width = inputs.x.shape[-1]
    paths = d_qkv.copy()
    for index, letter in enumerate("qkv"):
        if f"dx-misses-a-path/{letter}" in bugs:
            paths[..., index * width : (index + 1) * width] = 0.0
    dx = paths @ inputs.w_qkv.T
    return dx + dy if "dx-adds-residual" in bugs else dx


def _bias_gradient(d_out: Array, bugs: Bugs) -> Array:
    batch, length, _ = d_out.shape
    if "bias-gradient-not-summed/at-all" in bugs:
        return d_out
    axes: dict[str, int | tuple[int, int]] = {"over-batch": 1, "over-time": 0}
    left = next((axis for name, axis in axes.items() if f"bias-gradient-not-summed/{name}" in bugs), (0, 1))
    total: Array = d_out.sum(left)
    if bugs & {"bias-gradient-averaged/batch", "bias-gradient-averaged/both"}:
        total = total / batch
    if bugs & {"bias-gradient-averaged/time", "bias-gradient-averaged/both"}:
        total = total / length
    return total


def _spoiled(
    answer: dict[str, Array], inputs: Inputs, kept: Trace, dy: Array, d_qkv: Array, bugs: Bugs
) -> dict[str, Array]:
    """Mistakes made while the finished gradients are put together."""
    for item, bug in ((-1, "gradient-overwritten/last-item"), (0, "gradient-overwritten/first-item")):
        if bug in bugs:
            answer["w_qkv"] = inputs.x[item].T @ d_qkv[item]
            answer["w_out"] = kept.merged[item].T @ dy[item]
            answer["b_qkv"] = d_qkv[item].sum(0)
            answer["b_out"] = dy[item].sum(0)
    if "gradients-averaged-over-batch" in bugs:
        for name in GRADIENT_NAMES[1:]:
            answer[name] = answer[name] / inputs.x.shape[0]
    for name in ("w_out", "w_qkv"):
        if bugs & {f"weight-gradient-transposed/{name}", "weight-gradient-transposed/both"}:
            answer[name] = answer[name].T
    return answer


def _flat(array: Array) -> Array:
    """(B, T, C) to (B * T, C)."""
    return array.reshape(-1, array.shape[-1])
