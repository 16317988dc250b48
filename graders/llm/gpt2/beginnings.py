"""How a model starts: the distribution of its first weights, and which of them the optimizer will let decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Tensor, expect

from .layout import Layout
from .oracle import Array, Config, deviation, is_matrix

# Large enough that every matrix has 3,000 elements or more, and three layers, so that 1/√(2·n_layer) is 0.41.
CONFIG = Config(vocab_size=120, block_size=64, n_layer=3, n_head=4, n_embd=56)
# Deviations of an estimate from its mean that pass. For 14 kinds of matrix with three estimates each, an honest
# model is turned away once in 10 million runs.
SIGMAS = 6.0
# The share of a normal distribution beyond two deviations.
_BEYOND_TWO = 0.0455


def judge(found: Mapping[str, Array], config: Config) -> dict[str, float]:
    """Raise CheckFailed unless these are first weights as the brief asks for; how far the worst deviation is off."""
    measured = {name: float(value.std()) for name, value in found.items() if is_matrix(name)}
    right = {name: deviation(name, config) or 0.0 for name in measured}
    wrong = [name for name in measured if not _near(measured[name], right[name], found[name].size)]
    if wrong:
        name = wrong[0]
        raise CheckFailed(
            f"{name} begins with a standard deviation of {measured[name]:.4g}",
            expected=f"{right[name]:.4g}",
            actual="\n".join(f"{one}: {measured[one]:.4g} instead of {right[one]:.4g}" for one in wrong[:6]),
            diagnosis=_known(measured, found, config),
        )
    for name, value in found.items():
        if is_matrix(name):
            _expect_normal(name, value, right[name])
        else:
            _expect_constant(name, value)
    return {"worst_deviation": max(abs(measured[name] / right[name] - 1.0) for name in measured)}


def _near(measured: float, right: float, size: int) -> bool:
    return abs(measured / right - 1.0) <= SIGMAS / math.sqrt(2 * size)


def _known(measured: Mapping[str, float], found: Mapping[str, Array], config: Config) -> str | None:
    """The mistake that explains the deviation of every matrix."""

    def explained(mistaken: Callable[[str], float]) -> bool:
        return all(_near(measured[name], mistaken(name), found[name].size) for name in measured)

    residual = 0.02 / math.sqrt(2 * config.n_layer)
    ways: dict[str, Callable[[str], float]] = {
        "residual-init-not-scaled": lambda name: 0.02,
        "residual-init-by-layers": lambda name: 0.02 / math.sqrt(config.n_layer) if _adds(name) else 0.02,
        "residual-init-in-attention-only": lambda name: residual if "attn.c_proj" in name else 0.02,
        "torch-default-init": lambda name: 1.0 if ".h." not in f".{name}" else _uniform(found[name].shape[0]),
        "position-embedding-smaller": lambda name: 0.01 if name == "wpe.weight" else deviation(name, config) or 0.0,
        "embeddings-not-initialised": lambda name: 1.0 if name.startswith("w") else deviation(name, config) or 0.0,
    }
    return next((name for name, mistaken in ways.items() if explained(mistaken)), None)


def _adds(name: str) -> bool:
    return name.endswith("c_proj.weight")


def _uniform(fan_in: int) -> float:
    """nn.Linear draws uniformly between ±1/√in."""
    return 1.0 / math.sqrt(3 * fan_in)


def _expect_normal(name: str, value: Array, right: float) -> None:
    mean, limit = float(value.mean()), SIGMAS * right / math.sqrt(value.size)
    expect(abs(mean) <= limit, f"{name} begins with a mean of {mean:.3g}", expected=f"0, within {limit:.2g}")
    beyond = float((np.abs(value) > 2 * right).mean())
    spread = SIGMAS * math.sqrt(_BEYOND_TWO * (1 - _BEYOND_TWO) / value.size)
    expect(
        abs(beyond - _BEYOND_TWO) <= spread,
        f"{name} has the right deviation, and is not normal",
        expected=f"{_BEYOND_TWO:.1%} of its elements beyond two deviations",
        actual=f"{beyond:.1%}",
        diagnosis="init-not-normal",
    )


def _expect_constant(name: str, value: Array) -> None:
    wanted = 0.0 if name.endswith("bias") else 1.0
    strange = value[value != wanted]
    expect(
        strange.size == 0,
        f"{name} does not begin as {wanted:g}",
        expected=f"{wanted:g} everywhere",
        actual=f"{strange[0]:.4g}" if strange.size else None,
        diagnosis="biases-not-zero" if wanted == 0.0 else None,
    )


# ---- the optimizer's groups ------------------------------------------------------------------------------------------


def judge_groups(groups: Any, layout: Layout, decay: float, rate: float) -> None:
    """Raise CheckFailed unless each parameter is in one group, the matrices decay, and all have this rate."""
    plain = isinstance(groups, list) and all(isinstance(group, dict) for group in groups)
    expect(plain and bool(groups), "make_optimizer returned no torch optimizer", diagnosis="wrong-type")
    held = [name for group in groups for name in group["names"]]
    foreign = held.count(None)
    expect(foreign == 0, f"the optimizer holds {foreign} tensors that are no parameters of the model")
    missing = [name for name in layout.places if name not in held]
    twice = [name for name in layout.places if held.count(name) > 1]
    for names, words in ((missing, "in no group"), (twice, "in two groups, or twice in one")):
        expect(
            not names, f"{', '.join(names[:4])}: {words}", expected="each parameter once", diagnosis="groups-overlap"
        )
    for group in groups:
        options = group["options"]
        expect(
            _number(options["lr"]) == rate,
            "a group has another learning rate than make_optimizer was given",
            expected=f"{rate:.6g}",
            actual=str(options["lr"]),
        )
    decays = {name: _number(group["options"]["weight_decay"]) for group in groups for name in group["names"]}
    _expect_decay(decays, layout, decay)


def _expect_decay(decays: Mapping[str, float | None], layout: Layout, decay: float) -> None:
    actual = {name: value for name, value in decays.items() if name in layout.places}
    tensors = {name: layout.tensors_in(name) for name in actual}
    right = {name: {decay if is_matrix(one) else 0.0 for one in tensors[name]} for name in actual}
    wrong = [name for name, value in actual.items() if right[name] != {value}]
    if not wrong:
        return
    name = wrong[0]
    everything = all(value == decay for value in actual.values())
    embeddings = {one for name in wrong for one in tensors[name]} <= {"wte.weight", "wpe.weight"}
    diagnosis = "decay-on-everything" if everything else "embeddings-not-decayed" if embeddings else None
    if all(value == 0.0 for value in actual.values()):
        diagnosis = "no-decay"
    raise CheckFailed(
        f"{name} ({', '.join(tensors[name][:3])}) has weight_decay {actual[name]}",
        expected=" and ".join(f"{value:.4g}" for value in sorted(right[name])),
        actual=str(actual[name]),
        diagnosis=diagnosis,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, Tensor) and value.array.size == 1:
        value = value.array.item()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
