"""The sixteen tasks in float64 numpy, right or with any known mistake switched on.

Every function takes the arrays of a case by name and `bugs`, a frozenset of names. The empty set is the truth; a name
out of misconceptions.py gives the answer of a kernel with that mistake. A name is `misconception` or
`misconception/variant`. Each returns its outputs in order, as a tuple.

Mistakes with padding depend on how far a kernel pads a row: "next" stands for the next power of two, a number for the
next multiple of it. Mistakes by overflow are computed in float32, since that is where they happen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bugs = frozenset[str]
Answer = tuple[Array, ...]
NO_BUGS: Bugs = frozenset()


def answer(task: str, init: list[Any], arrays: dict[str, Array], bugs: Bugs = NO_BUGS) -> Answer:
    """The outputs of a task for its init inputs, and its parameters and inputs by name."""
    double = {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        return _TASKS[task](init, double, bugs)


def _one(task: Callable[..., Array]) -> Callable[[list[Any], dict[str, Array], Bugs], Answer]:
    return lambda init, arrays, bugs: (task(init, arrays, bugs),)


# ---- level 1 ---------------------------------------------------------------------------------------------------------


def softplus_gate(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """gate * log(1 + exp(beta x)) / beta."""
    beta = 1.0 if "init-input-ignored" in bugs else float(init[0])
    scaled = beta * of["x"]
    if "exponential-overflows" in bugs:
        return of["gate"] * np.log1p(_exp32(scaled)) / beta
    if "exponential-overflows/capped" in bugs:
        return of["gate"] * np.log1p(np.exp(np.minimum(scaled, 20.0))) / beta
    if "factor-missing" in bugs:
        return of["gate"] * np.logaddexp(0.0, scaled)
    return of["gate"] * np.logaddexp(0.0, scaled) / beta


def row_variance(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """The variance of every row."""
    x = of["x"]
    if "wrong-axis" in bugs:
        return np.asarray(x.var(axis=0))
    mean, variance = _moments(x, bugs)
    if "second-moment" in bugs:
        return np.asarray((variance + mean**2)[..., 0])
    return np.asarray(variance[..., 0])


def max_over_middle(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Answer:
    """The largest value along one axis and its place."""
    x, axis = of["x"], int(init[0])
    axis = 2 if "wrong-axis" in bugs else 0 if "wrong-axis/first" in bugs else axis
    values, places = x.max(axis=axis), x.argmax(axis=axis)
    if "padding-counts" in bugs:
        places = np.where(values < 0, x.shape[axis], places)
        values = np.maximum(values, 0.0)
    return values, places


def layer_norm(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """Each position to mean 0 and variance 1, then weight and bias for each feature."""
    x, weight, bias = of["x"], of["norm.weight"], of["norm.bias"]
    normal = _normalised(x, *_moments(x, bugs), float(init[1]), bugs)
    return normal * weight + _bias(bias, bugs)


def group_norm(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """Each group of channels to mean 0 and variance 1, then weight and bias for each channel."""
    groups, channels, eps = int(init[0]), int(init[1]), float(init[2])
    x, weight, bias = of["x"], of["norm.weight"], of["norm.bias"]
    parts = channels if "statistics-per-channel" in bugs else groups
    rows = x.reshape(x.shape[0], parts, -1)
    if "groups-interleaved" in bugs:
        size = channels // groups
        rows = x.reshape(x.shape[0], size, groups, -1).swapaxes(1, 2).reshape(x.shape[0], groups, -1)
    normal = _normalised(rows, *_moments(rows, bugs), eps, bugs)
    if "groups-interleaved" in bugs:
        normal = normal.reshape(x.shape[0], groups, size, -1).swapaxes(1, 2)
    normal = normal.reshape(x.shape)
    if "affine-by-group" in bugs:
        weight, bias = (np.repeat(one[:groups], channels // groups) for one in (weight, bias))
    return normal * weight[:, None] + _bias(bias[:, None], bugs)


def matmul_at_b(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """a.T @ b."""
    a, b = _cut(of["a"].T, bugs), _cut(of["b"].T, bugs)
    return a @ b.T


def batched_matmul_bt(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """a[i] @ b[i].T."""
    a, b = of["a"], of["b"]
    if "batch-index-forgotten" in bugs:
        a, b = np.broadcast_to(a[:1], a.shape), np.broadcast_to(b[:1], b.shape)
    if "batch-index-forgotten/second" in bugs:
        b = np.broadcast_to(b[:1], b.shape)
    return _cut(a, bugs) @ _cut(b, bugs).swapaxes(1, 2)


def conv2d(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """Cross-correlation with stride and zero padding, plus a bias for each output channel."""
    kernel, stride, padding = (tuple(int(one) for one in init[place]) for place in (2, 3, 4))
    x, weight, bias = of["x"], of["conv.weight"], of["conv.bias"]
    if "rows-and-columns-swapped/stride" in bugs:
        stride = stride[::-1]
    if "rows-and-columns-swapped/padding" in bugs:
        padding = padding[::-1]
    if "rows-and-columns-swapped" in bugs:
        stride, padding = stride[::-1], padding[::-1]
    if "kernel-flipped" in bugs:
        weight = weight[..., ::-1, ::-1]
    if "padding-is-the-edge" in bugs:
        padded = np.pad(x, ((0, 0), (0, 0), *((one, one) for one in padding)), mode="edge")
    else:
        padded = np.pad(x, ((0, 0), (0, 0), *((one, one) for one in padding)))
    rows, columns = (1 + (padded.shape[2 + axis] - kernel[axis]) // stride[axis] for axis in (0, 1))
    if min(rows, columns) < 1:
        return np.zeros((0,))
    y = np.zeros((x.shape[0], weight.shape[0], rows, columns))
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            seen = padded[:, :, i : i + rows * stride[0] : stride[0], j : j + columns * stride[1] : stride[1]]
            y += np.einsum("ncrk,oc->nork", seen[:, :, :rows, :columns], weight[:, :, i, j])
    return y + _bias(bias[:, None, None], bugs)


def log_softmax_channels(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """x - log(sum(exp(x))) along axis 1."""
    return _log_softmax(of["x"], 2 if "wrong-axis" in bugs else 0 if "wrong-axis/first" in bugs else 1, bugs)


def cross_entropy(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """The mean of -log p[target]."""
    logits, targets = of["logits"], of["targets"].astype(np.int64)
    rows = np.arange(len(targets))
    losses = -_log_softmax(logits, 1, bugs)[rows, targets]
    if "sum-not-mean" in bugs:
        return np.asarray(losses.sum())
    count = losses.size
    if _has(bugs, "mean-by-padded-size"):
        count = _padded(count, bugs)
    if "mean-over-classes-too" in bugs:
        count = logits.size
    return np.asarray(losses.sum() / count)


# ---- level 2 ---------------------------------------------------------------------------------------------------------


def linear_bias_gelu(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """gelu(x w^T + b)."""
    product = _cut(of["x"], bugs) @ _cut(of["linear.weight"], bugs).T
    bias = _bias(of["linear.bias"], bugs)
    if "bias-after-activation" in bugs:
        return _gelu(product, bugs) + bias
    return _gelu(product + bias, bugs)


def residual_rms_norm(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Answer:
    """The normalised sum, and the sum."""
    x, residual, weight, eps = of["x"], of["residual"], of["weight"], float(init[1])
    total = x + residual
    source = x if "fused-order" in bugs else total
    if "mean-subtracted" in bugs:
        source = source - source.mean(axis=-1, keepdims=True)
    square = (source**2).sum(axis=-1, keepdims=True) / _divisor(source.shape[-1], bugs)
    normal = _normalised(source, np.zeros_like(square), square, eps, bugs) * weight
    return (normal + residual if "fused-order" in bugs else normal), total


def swiglu(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """silu(x gate^T) * (x up^T)."""
    gate, up = (_cut(of["x"], bugs) @ _cut(of[f"{name}.weight"], bugs).T for name in ("gate", "up"))
    if "gate-and-up-swapped" in bugs:
        gate, up = up, gate
    if "factor-missing" in bugs:
        return np.asarray(up / (1.0 + np.exp(-gate)))
    if "exponential-overflows" in bugs:
        return np.asarray(gate * (_exp32(gate) / (1.0 + _exp32(gate))) * up)
    if "exponential-overflows/product" in bugs:
        return np.asarray((gate * _exp32(gate)).astype(np.float32) / (1.0 + _exp32(gate)) * up)
    return np.asarray(gate / (1.0 + np.exp(-gate)) * up)


def attention_weights(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """softmax(scale s + bias)."""
    scale = 1.0 if "init-input-ignored" in bugs else float(init[0])
    bias = of["bias"]
    if "batch-index-forgotten" in bugs:
        bias = np.broadcast_to(bias[:1], bias.shape)
    scores = scale * (of["scores"] + bias) if "fused-order" in bugs else scale * of["scores"] + bias
    if "bias-missing" in bugs:
        scores = scale * of["scores"]
    if "bias-twice" in bugs:
        scores = scores + bias
    if "wrong-axis" in bugs:
        return np.exp(_log_softmax(scores, 2, bugs))
    if "no-max-subtraction" in bugs:
        return np.asarray(_exp32(scores) / _exp32(scores).sum(axis=-1, keepdims=True))
    return np.exp(_log_softmax(scores, 3, bugs))


def linear_logsumexp(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """log(sum(exp(x w^T + b)))."""
    logits = _cut(of["x"], bugs) @ _cut(of["linear.weight"], bugs).T + _bias(of["linear.bias"], bugs)
    return _logsumexp(logits, 1, bugs)


def distillation_loss(init: list[Any], of: dict[str, Array], bugs: Bugs) -> Array:
    """T^2 KL(teacher || student), both at temperature T."""
    temperature = 1.0 if "init-input-ignored" in bugs else float(init[0])
    log_q, log_p = (_log_softmax(of[name] / temperature, 1, bugs) for name in ("student", "teacher"))
    if "divergence-reversed" in bugs:
        log_p, log_q = log_q, log_p
    p = np.exp(log_p)
    # a class without probability contributes nothing, however far apart the logarithms are
    terms = np.where(p > 0, p * (log_p - log_q), 0.0) if "no-max-subtraction" not in bugs else p * (log_p - log_q)
    if "mean-over-classes-too" in bugs:
        terms = terms / terms.shape[1]
    if "cross-entropy-only" in bugs:
        terms = np.where(p > 0, -p * log_q, 0.0)
    return np.asarray(terms.sum(axis=1) * (1.0 if "temperature-not-squared" in bugs else _power(temperature, bugs)))


def _power(temperature: float, bugs: Bugs) -> float:
    return temperature if "temperature-not-squared/once" in bugs else temperature**2


# ---- parts -----------------------------------------------------------------------------------------------------------


def _exp32(x: Array) -> Array:
    """The exponential as float32 has it: infinite above 88.7, zero below -103.9."""
    return np.exp(np.asarray(x, dtype=np.float32)).astype(np.float64)


def _moments(x: Array, bugs: Bugs) -> tuple[Array, Array]:
    """Mean and variance along the last axis, which stays with length 1."""
    size = x.shape[-1]
    divisor = _divisor(size, bugs)
    mean = x.sum(axis=-1, keepdims=True) / divisor
    squares = ((x - mean) ** 2).sum(axis=-1, keepdims=True)
    if _has(bugs, "padding-counts"):  # the padded lanes hold 0, and 0 is as far from the mean as the mean from 0
        squares = squares + (_padded(size, bugs) - size) * mean**2
    if "variance-unbiased" in bugs:
        divisor = max(size - 1, 0)
    return mean, squares / divisor


def _normalised(x: Array, mean: Array, variance: Array, eps: float, bugs: Bugs) -> Array:
    if "eps-missing" in bugs:
        return (x - mean) / np.sqrt(variance)
    if "eps-outside-the-root" in bugs:
        return (x - mean) / (np.sqrt(variance) + eps)
    if "divided-by-variance" in bugs:
        return (x - mean) / (variance + eps)
    return (x - mean) / np.sqrt(variance + eps)


def _bias(bias: Array, bugs: Bugs) -> Array:
    return bias * (0.0 if "bias-missing" in bugs else 2.0 if "bias-twice" in bugs else 1.0)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _gelu(x: Array, bugs: Bugs) -> Array:
    if "gelu-approximated" in bugs:
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    if "gelu-approximated/sigmoid" in bugs:
        return x / (1.0 + np.exp(-1.702 * x))
    return np.asarray(0.5 * x * (1.0 + _erf(x / math.sqrt(2.0))))


def _log_softmax(x: Array, axis: int, bugs: Bugs) -> Array:
    if "no-max-subtraction" in bugs:
        return np.asarray(x - np.log(_exp32(x).sum(axis=axis, keepdims=True)))
    if "log-of-softmax" in bugs:
        weights = _exp32(x - x.max(axis=axis, keepdims=True))
        return np.asarray(np.log((weights / weights.sum(axis=axis, keepdims=True)).astype(np.float32)))
    return np.asarray(x - _logsumexp(x, axis, bugs))


def _logsumexp(x: Array, axis: int, bugs: Bugs) -> Array:
    if "no-max-subtraction" in bugs:
        return np.asarray(np.log(_exp32(x).sum(axis=axis, keepdims=True)))
    largest = x.max(axis=axis, keepdims=True)
    size = x.shape[axis]
    if _has(bugs, "padding-counts"):  # the padded lanes hold 0 where they should hold minus infinity
        more = _padded(size, bugs) - size
        largest = np.maximum(largest, 0.0) if more else largest
        total = np.exp(x - largest).sum(axis=axis, keepdims=True) + more * np.exp(-largest)
        return np.asarray(largest + np.log(total))
    if _has(bugs, "blocks-not-rescaled"):
        variant = next(bug for bug in bugs if bug.startswith("blocks-not-rescaled")).partition("/")[2]
        return _without_rescaling(x, axis, int(variant.removeprefix("own-")), online=not variant.startswith("own-"))
    return np.asarray(largest + np.log(np.exp(x - largest).sum(axis=axis, keepdims=True)))


def _without_rescaling(x: Array, axis: int, width: int, *, online: bool) -> Array:
    """Sums of blocks under different maxima, added as they are: the maximum so far, or each block's own."""
    total, largest = np.zeros(()), np.full((), -np.inf)
    for start in range(0, x.shape[axis], width):
        block = x.take(range(start, min(start + width, x.shape[axis])), axis)
        own = block.max(axis=axis, keepdims=True)
        largest = np.maximum(largest, own)
        total = total + np.exp(block - (largest if online else own)).sum(axis=axis, keepdims=True)
    return np.asarray(largest + np.log(total))


def _has(bugs: Bugs, misconception: str) -> bool:
    return any(bug.partition("/")[0] == misconception for bug in bugs)


def _divisor(size: int, bugs: Bugs) -> int:
    return _padded(size, bugs) if _has(bugs, "mean-by-padded-size") else size


def _padded(size: int, bugs: Bugs) -> int:
    """How far the variant of a mistake with padding pads a row of this size."""
    variants = {bug.partition("/")[2] for bug in bugs if bug.partition("/")[0] in ("padding-counts", *_BY_SIZE)}
    wanted = next(iter(variants))
    return 1 << (size - 1).bit_length() if wanted in ("", "next") else _round_up(size, int(wanted))


_BY_SIZE = ("mean-by-padded-size",)
BLOCKS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


def _block(bugs: Bugs) -> int:
    return int(next(iter(bugs)).partition("/")[2])


def _cut(x: Array, bugs: Bugs) -> Array:
    """The last axis, cut to whole blocks where that mistake is switched on."""
    block = next((_block(frozenset({bug})) for bug in bugs if bug.startswith("remainder-dropped/")), 1)
    return x[..., : x.shape[-1] - x.shape[-1] % block]


def _round_up(size: int, block: int) -> int:
    return -(-size // block) * block


_TASKS: dict[str, Callable[[list[Any], dict[str, Array], Bugs], Answer]] = {
    "softplus_gate": _one(softplus_gate),
    "row_variance": _one(row_variance),
    "max_over_middle": max_over_middle,
    "layer_norm": _one(layer_norm),
    "group_norm": _one(group_norm),
    "matmul_at_b": _one(matmul_at_b),
    "batched_matmul_bt": _one(batched_matmul_bt),
    "conv2d": _one(conv2d),
    "log_softmax_channels": _one(log_softmax_channels),
    "cross_entropy": _one(cross_entropy),
    "linear_bias_gelu": _one(linear_bias_gelu),
    "residual_rms_norm": residual_rms_norm,
    "swiglu": _one(swiglu),
    "attention_weights": _one(attention_weights),
    "linear_logsumexp": _one(linear_logsumexp),
    "distillation_loss": _one(distillation_loss),
}
