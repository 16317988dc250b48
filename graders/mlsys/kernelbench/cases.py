"""The inputs of the checks: small, of the rank that the task has, and drawn so that every known mistake shows.

Each task is drawn in four ways. "ordinary": sizes that are no powers of two, none equal to another. "large" and
"small": magnitudes at which a careless formula overflows, underflows or loses its digits. "wide": one axis longer than
the blocks people like to use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import oracle

Array = NDArray[Any]
Rng = np.random.Generator
Sizes = dict[str, int]

# Products beyond 65,504, the largest float16, and below 6e-8, the smallest.
MAGNITUDES = {"large": 1e3, "small": 1e-5}
WAYS = ("ordinary", "large", "small", "wide")


@dataclass(frozen=True)
class Case:
    """One draw: what ModelNew is made with, the values of its parameters, and what it is called with.

    Attributes:
        task: name of the task.
        way: how it was drawn.
        init: the init inputs.
        parameters: values by their name in the state dict.
        inputs: arguments of forward by name, in order.
        sizes: what the shapes were made from.

    """

    task: str
    way: str
    init: list[Any]
    parameters: Mapping[str, Array]
    inputs: Mapping[str, Array]
    sizes: Sizes = field(default_factory=dict)

    def again(self, rng: Rng) -> Case:
        """The same sizes, init inputs and parameters, and other inputs."""
        return replace(self, inputs=_TASKS[self.task].inputs(rng, self.sizes, self.way))

    def expected(self, bugs: oracle.Bugs = oracle.NO_BUGS) -> oracle.Answer:
        """The outputs in float64, as a kernel with these mistakes would have them."""
        return oracle.answer(self.task, self.init, {**self.parameters, **self.inputs}, bugs)

    def intermediate_bytes(self) -> int:
        """Size of the array that stands between the two halves of a fused task."""
        if "out_features" in self.sizes:
            return 4 * self.sizes["batch"] * self.sizes["out_features"]
        return int(next(iter(self.inputs.values())).nbytes)

    def in_words(self) -> str:
        """The shapes, for messages."""
        return ", ".join(f"{name} {tuple(array.shape)}" for name, array in self.inputs.items())


def draw(task: str, way: str, rng: Rng) -> Case:
    """Draw a case of a task."""
    recipe = _TASKS[task]
    sizes = recipe.sizes(rng, way)
    init, parameters = recipe.init(rng, sizes), recipe.parameters(rng, sizes)
    return Case(task, way, init, parameters, recipe.inputs(rng, sizes, way), sizes)


@dataclass(frozen=True)
class Recipe:
    """How a task is drawn."""

    sizes: Callable[[Rng, str], Sizes]
    inputs: Callable[[Rng, Sizes, str], dict[str, Array]]
    init: Callable[[Rng, Sizes], list[Any]] = lambda rng, sizes: []
    parameters: Callable[[Rng, Sizes], dict[str, Array]] = lambda rng, sizes: {}


# ---- drawing ---------------------------------------------------------------------------------------------------------


def _uniform(rng: Rng, *shape: int) -> Array:
    """Mean 0 and variance 1, without a normal's tails: no draw has an element that rounds far worse than others."""
    return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)


def _single(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _sizes(**ranges: tuple[tuple[int, int], tuple[int, int]]) -> Callable[[Rng, str], Sizes]:
    """Bounds (both included) for every size, and for every size of a wide draw. No two sizes are equal."""

    def sizes(rng: Rng, way: str) -> Sizes:
        while True:
            bounds = {name: pair[way == "wide"] for name, pair in ranges.items()}
            drawn = {name: int(rng.integers(low, high + 1)) for name, (low, high) in bounds.items()}
            inner = [size for size in drawn.values() if size > 3]
            if len(set(inner)) == len(inner) and not any(size >= 16 and size % 16 == 0 for size in inner):
                return drawn

    return sizes


def _softplus_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    scale = {"large": 100.0, "small": 1e-3}.get(way, 2.0) / _factor(s)
    shape = (s["batch"], s["features"])
    return {"x": _single(scale * _uniform(rng, *shape)), "gate": _single(_uniform(rng, *shape))}


def _variance_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    # 300 spreads away from zero, the mean of the squares less the square of the mean has 2 digits left in float32
    offset = (300.0 if way == "large" else 1.0) * (1.0 + rng.random((s["batch"], 1)))
    spread = (0.5 + rng.random((s["batch"], 1))) * _uniform(rng, s["batch"], s["features"])
    return {"x": _single((1e-3 if way == "small" else 1.0) * (offset + spread))}


def _max_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    scale = {"large": 1e6, "small": 1e-6}.get(way, 1.0)
    # all columns below zero in some, none in others
    offset = rng.choice([-6.0, -4.0, 0.0], (s["batch"], 1, s["columns"]))
    offset[:, :, 0] = -6.0
    return {"x": _single(scale * (offset + _uniform(rng, s["batch"], s["rows"], s["columns"])))}


def _layer_norm_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape = (s["batch"], s["length"], 1)
    offset = (100.0 if way == "large" else 1.0) * (0.5 + rng.random(shape))
    scale = {"large": 1.0, "small": 1e-3}.get(way, rng.choice([0.05, 0.3], shape))
    return {"x": _single(scale * (offset + _uniform(rng, s["batch"], s["length"], s["features"])))}


def _group_norm_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape = (s["batch"], s["groups"] * s["channels_of_group"], 1)
    offset = 100.0 * (1.0 + 0.01 * rng.random(shape)) if way == "large" else 0.5 + rng.random(shape)
    scale = {"large": 1.0, "small": 1e-3}.get(way, rng.choice([0.1, 0.4], shape))
    return {"x": _single(scale * (offset + _uniform(rng, *shape[:2], s["positions"])))}


def _matmul_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    scale = MAGNITUDES.get(way, 1.0)
    return {"a": _single(scale * _uniform(rng, s["k"], s["m"])), "b": _single(scale * _uniform(rng, s["k"], s["n"]))}


def _batched_matmul_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    scale = MAGNITUDES.get(way, 1.0)
    a, b = _uniform(rng, s["batch"], s["m"], s["k"]), _uniform(rng, s["batch"], s["n"], s["k"])
    return {"a": _single(scale * a), "b": _single(scale * b)}


def _conv_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape = (s["batch"], s["in_channels"], s["rows"], s["columns"])
    return {"x": _single(MAGNITUDES.get(way, 1.0) * _uniform(rng, *shape))}


def _conv_sizes(rng: Rng, way: str) -> Sizes:
    """Rows and columns are odd, so that the last window ends where the input ends and every element is used.

    33 channels come in, or 65 go out: one more than a multiple of blocks, so that there are two and the last holds one.
    """
    wide, small = way == "wide", way == "small"
    return {
        "batch": 1 if wide or small else 2,
        "in_channels": 33 if wide else 3,
        "out_channels": 1 if wide else 65 if small else int(rng.integers(5, 8)),
        "rows": 3 if wide else int(rng.choice([7, 9])),
        "columns": 5 if wide else int(rng.choice([11, 13])),
        "upright": int(rng.integers(2)),
    }


def _window(s: Sizes) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Kernel, stride and padding: rows and columns differ in all three."""
    return ((2, 3), (1, 2), (1, 0)) if s["upright"] else ((3, 2), (2, 1), (0, 1))


def _conv_parameters(rng: Rng, s: Sizes) -> dict[str, Array]:
    kernel = _window(s)[0]
    spread = (s["in_channels"] * kernel[0] * kernel[1]) ** -0.5
    weight = spread * _uniform(rng, s["out_channels"], s["in_channels"], *kernel)
    return {"conv.weight": _single(weight), "conv.bias": _single(_uniform(rng, s["out_channels"]))}


def _softmax_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    x = _logits(rng, way, s["batch"], s["positions"], s["channels"])
    if way == "large":  # positions far apart: subtracting another one's maximum leaves nothing of some
        x += _single(rng.uniform(-200.0, 200.0, (s["batch"], s["positions"], 1)))
    return {"x": np.ascontiguousarray(x.swapaxes(1, 2))}


def _cross_entropy_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    logits = _logits(rng, way, s["batch"], s["classes"])
    targets = rng.integers(0, s["classes"], s["batch"])
    if way == "wide":  # the least likely class: the logarithm of its weight must not be taken of a zero
        targets[0] = logits[0].argmin()
    if way == "large":  # near the top, where the logarithm of a weight is still finite: only a missing maximum is not
        ranks = rng.integers(1, 4, s["batch"])
        ranks[:2] = 3  # not all of them the top: a loss near 0 would be what rounding logits of hundreds leaves
        order, rows = np.argsort(logits, axis=1), np.arange(s["batch"])
        for rank, (least, most) in ((2, (2.0, 20.0)), (3, (20.0, 60.0))):  # float32 has exp of -87 and more
            logits[rows, order[:, -rank]] = logits.max(axis=1) - _single(rng.uniform(least, most, s["batch"]))
        targets = order[rows, -ranks]
    return {"logits": logits, "targets": targets}


def _logits(rng: Rng, way: str, *shape: int) -> Array:
    """Draw logits that tell: what is far too large in one way of drawing is far apart in another.

    Ordinary ones lie below zero, so that a lane of padding that holds 0 weighs much. Large ones overflow exp. Wide ones
    rise along the row: early weights vanish, and a maximum that was taken of the first block alone is far too low.
    """
    if way == "wide":
        return _single(_rising(shape[-1]) + _uniform(rng, *shape))
    scale, offset = {"large": (200.0, 0.0), "small": (1e-3, -1.0)}.get(way, (1.5, -3.0))
    return _single(scale * _uniform(rng, *shape) + offset)


def _rising(size: int) -> Array:
    """From -300 to 0 along a row: near 0, where the weight is, float32 has all its digits."""
    return np.linspace(-300.0, 0.0, size)


def _linear_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    return {"x": _single({"large": 20.0, "small": 1e-3}.get(way, 1.5) * _uniform(rng, s["batch"], s["in_features"]))}


def _linear_parameters(rng: Rng, s: Sizes) -> dict[str, Array]:
    weight = _uniform(rng, s["out_features"], s["in_features"]) * s["in_features"] ** -0.5
    return {"linear.weight": _single(weight), "linear.bias": _single(0.7 * _uniform(rng, s["out_features"]))}


def _residual_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape = (s["batch"], s["features"])
    scale = {"large": 1e4, "small": 1e-3}.get(way, rng.choice([0.05, 0.4], (s["batch"], 1)))
    x, residual = scale * (_uniform(rng, *shape) + 0.7), scale * _uniform(rng, *shape)
    return {"x": _single(x), "residual": _single(residual)}


def _swiglu_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    return {"x": _single({"large": 60.0, "small": 1e-2}.get(way, 1.5) * _uniform(rng, s["batch"], s["in_features"]))}


def _swiglu_parameters(rng: Rng, s: Sizes) -> dict[str, Array]:
    shape, spread = (s["out_features"], s["in_features"]), s["in_features"] ** -0.5
    return {f"{name}.weight": _single(spread * _uniform(rng, *shape)) for name in ("gate", "up")}


def _attention_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape = (s["heads"], s["queries"], s["keys"])
    scale = {"large": 75.0, "small": 1e-3}.get(way, 2.0) / _factor(s)
    scores = scale * _uniform(rng, s["batch"], *shape)
    if way == "wide":
        scores = scores + _rising(s["keys"]) / _factor(s)
    return {"scores": _single(scores), "bias": _single(_uniform(rng, *shape) - 2.0)}


def _logsumexp_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    scale: Any = {"large": 150.0, "small": 1e-3}.get(way, 1.5)
    if way == "large":  # rows far apart: subtracting another one's maximum leaves nothing of some
        scale = scale * np.linspace(1.0, 0.02, s["batch"])[:, None]
    return {"x": _single(scale * _uniform(rng, s["batch"], s["in_features"]))}


def _logsumexp_parameters(rng: Rng, s: Sizes) -> dict[str, Array]:
    weight = _uniform(rng, s["out_features"], s["in_features"]) * s["in_features"] ** -0.5
    # The later outputs are the larger ones: an online maximum moves, and what was summed before it must be rescaled.
    # All lie so low that no answer is near 0, which a maximum and a logarithm that cancel do not give to six digits.
    bias = _uniform(rng, s["out_features"]) + np.linspace(-16.0, -10.0, s["out_features"])
    return {"linear.weight": _single(weight), "linear.bias": _single(bias)}


def _distillation_inputs(rng: Rng, s: Sizes, way: str) -> dict[str, Array]:
    shape, scale, offset = (s["batch"], s["classes"]), {"large": 75.0, "small": 1.0}.get(way, 2.0), -4.0
    rise = _rising(s["classes"]) if way == "wide" else 0.0
    student, teacher = (_factor(s) * (scale * _uniform(rng, *shape) + offset + rise) for _ in range(2))
    return {"student": _single(student), "teacher": _single(teacher)}


def _norm_parameters(rng: Rng, size: int) -> dict[str, Array]:
    weight, bias = _single(1.0 + 0.5 * _uniform(rng, size)), _single(0.7 * _uniform(rng, size))
    return {"norm.weight": weight, "norm.bias": bias}


def _eps(rng: Rng) -> float:
    """As large as the variance of the smallest rows, so that it counts wherever it stands."""
    return float(rng.choice([1e-3, 3e-3]))


def _with_factor(**ranges: tuple[tuple[int, int], tuple[int, int]]) -> Callable[[Rng, str], Sizes]:
    """Sizes, and a factor in hundredths that is neither 1 nor near its own square or inverse."""
    sizes = _sizes(**ranges)
    return lambda rng, way: {
        **sizes(rng, way),
        "percent": int(rng.choice([rng.integers(45, 76), rng.integers(150, 221)])),
    }


def _factor(s: Sizes) -> float:
    """The beta, the scale or the temperature of a task. What is large is so after it was multiplied with it."""
    return s["percent"] / 100


def _one_over(sizes: Callable[[Rng, str], Sizes], **fixed: int) -> Callable[[Rng, str], Sizes]:
    """Some sizes of the small way are given: one more than a multiple of blocks, so that the last holds one lane."""
    return lambda rng, way: {**sizes(rng, way), **(fixed if way == "small" else {})}


_TASKS: dict[str, Recipe] = {
    "softplus_gate": Recipe(
        # 2049 elements
        _one_over(_with_factor(batch=((5, 9), (1, 3)), features=((300, 400), (2100, 2400))), batch=3, features=683),
        _softplus_inputs,
        lambda rng, s: [_factor(s)],
    ),
    "row_variance": Recipe(_sizes(batch=((3, 5), (1, 2)), features=((70, 120), (4100, 5000))), _variance_inputs),
    "max_over_middle": Recipe(
        _one_over(
            _sizes(batch=((2, 2), (1, 1)), rows=((35, 60), (260, 300)), columns=((20, 31), (3, 3))),
            batch=1,
            rows=65,
            columns=129,
        ),
        _max_inputs,
        lambda rng, s: [1],
    ),
    "layer_norm": Recipe(
        _sizes(batch=((2, 2), (1, 1)), length=((3, 3), (2, 2)), features=((70, 120), (4100, 5000))),
        _layer_norm_inputs,
        lambda rng, s: [s["features"], _eps(rng)],
        lambda rng, s: _norm_parameters(rng, s["features"]),
    ),
    "group_norm": Recipe(
        _sizes(
            batch=((2, 2), (1, 1)),
            groups=((2, 2), (2, 2)),
            channels_of_group=((3, 3), (2, 2)),
            positions=((17, 31), (1100, 1900)),
        ),
        _group_norm_inputs,
        lambda rng, s: [s["groups"], s["groups"] * s["channels_of_group"], _eps(rng)],
        lambda rng, s: _norm_parameters(rng, s["groups"] * s["channels_of_group"]),
    ),
    "matmul_at_b": Recipe(
        _one_over(_sizes(k=((34, 60), (200, 300)), m=((20, 40), (1, 1)), n=((66, 90), (7, 7))), k=33, m=65, n=129),
        _matmul_inputs,
    ),
    "batched_matmul_bt": Recipe(
        _one_over(
            _sizes(batch=((3, 3), (1, 1)), m=((20, 40), (1, 1)), n=((17, 31), (7, 7)), k=((34, 60), (200, 300))),
            m=65,
            n=129,
            k=33,
        ),
        _batched_matmul_inputs,
    ),
    "conv2d": Recipe(
        _conv_sizes,
        _conv_inputs,
        lambda rng, s: [s["in_channels"], s["out_channels"], *_window(s)],
        _conv_parameters,
    ),
    "log_softmax_channels": Recipe(
        _one_over(
            _sizes(batch=((2, 2), (1, 1)), channels=((18, 29), (1030, 1100)), positions=((33, 50), (3, 3))),
            positions=65,
        ),
        _softmax_inputs,
    ),
    "cross_entropy": Recipe(
        _sizes(batch=((5, 7), (3, 3)), classes=((35, 60), (4100, 5000))),
        _cross_entropy_inputs,
    ),
    "linear_bias_gelu": Recipe(
        _one_over(
            _sizes(batch=((18, 30), (1, 1)), in_features=((35, 60), (200, 300)), out_features=((66, 90), (5, 7))),
            batch=65,
            in_features=33,
            out_features=129,
        ),
        _linear_inputs,
        lambda rng, s: [s["in_features"], s["out_features"]],
        _linear_parameters,
    ),
    "residual_rms_norm": Recipe(
        _sizes(batch=((3, 5), (1, 2)), features=((70, 120), (4100, 5000))),
        _residual_inputs,
        lambda rng, s: [s["features"], _eps(rng)],
        lambda rng, s: {"weight": _single(1.0 + 0.5 * _uniform(rng, s["features"]))},
    ),
    "swiglu": Recipe(
        _one_over(
            _sizes(batch=((18, 30), (1, 1)), in_features=((35, 60), (200, 300)), out_features=((34, 60), (5, 7))),
            batch=65,
            in_features=33,
            out_features=129,
        ),
        _swiglu_inputs,
        lambda rng, s: [s["in_features"], s["out_features"]],
        _swiglu_parameters,
    ),
    "attention_weights": Recipe(
        _with_factor(
            batch=((2, 2), (1, 1)), heads=((3, 3), (2, 2)), queries=((2, 3), (1, 1)), keys=((35, 60), (4100, 5000))
        ),
        _attention_inputs,
        lambda rng, s: [_factor(s)],
    ),
    "linear_logsumexp": Recipe(
        _one_over(
            _sizes(batch=((5, 9), (1, 2)), in_features=((17, 31), (70, 90)), out_features=((70, 120), (200, 260))),
            batch=65,
            in_features=33,
            out_features=129,
        ),
        _logsumexp_inputs,
        lambda rng, s: [s["in_features"], s["out_features"]],
        _logsumexp_parameters,
    ),
    "distillation_loss": Recipe(
        _with_factor(batch=((3, 6), (1, 2)), classes=((35, 60), (4100, 5000))),
        _distillation_inputs,
        lambda rng, s: [_factor(s)],
    ),
}

# Worked out by hand in the brief: mean 4, variance 5, and the root of 5 + 4 is 3.
EXAMPLE = Case(
    "layer_norm",
    "ordinary",
    [4, 4.0],
    {"norm.weight": _single(np.array([3, 3, 3, 6])), "norm.bias": _single(np.array([0, 1, 0, -1]))},
    {"x": _single(np.array([[[1, 3, 5, 7]]]))},
)
EXAMPLE_Y = np.array([[[-3, 0, 1, 5]]], dtype=np.float64)
