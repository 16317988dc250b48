"""Every drill worked out a second time, from the definition and without the drill's own arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist

GB, TB, DAY = 1e9, 1e12, 86400.0


@dataclass(frozen=True)
class Definition:
    """What a drill must compute.

    Attributes:
        compute: the answer from the given numbers, by name.
        unit: the unit of the answer.
        low: no answer is smaller.
        high: no answer is larger.
        rises: given numbers with which the answer grows.
        falls: given numbers with which it shrinks.
        tolerance: how far the rule of thumb may be from the exact definition.

    """

    compute: Callable[..., float]
    unit: str
    low: float
    high: float
    rises: tuple[str, ...] = ()
    falls: tuple[str, ...] = field(default=())
    tolerance: float = 1e-9


def _block(width: float) -> float:
    """Weights of a transformer layer, matrix by matrix."""
    return sum(rows * columns for rows, columns in [(width, width)] * 4 + [(width, 4 * width), (4 * width, width)])


def _attention(tokens: float, width: float) -> float:
    """Multiplications and additions of the scores and of the weighted sum, for one token."""
    return 2 * tokens * width + 2 * tokens * width


def _vit(side: float, patch: float, layers: float, width: float) -> float:
    tokens = (side // patch) ** 2
    return layers * tokens * (2 * _block(width) + _attention(tokens, width))


def _receptive_field(per_stage: float, stages: float) -> float:
    reach, stride = 1.0, 1.0
    for _ in range(int(stages)):
        for _ in range(int(per_stage)):
            reach += (3 - 1) * stride
        stride *= 2
    return reach


def _geometric(ratio: float) -> float:
    """1 + r + r² + …, added up until nothing changes."""
    total, term = 0.0, 1.0
    while term > 1e-14:
        total, term = total + term, term * ratio
    return total


def _idle_share(stages: float, parts: float) -> float:
    """Lay the microbatches out in time slots and count how long the first device waits."""
    slots = int(parts) + int(stages) - 1
    busy = sum(1 for slot in range(slots) if slot < int(parts))
    return (slots - busy) / slots


def _auc_error(auc: float, positives: float, negatives: float) -> float:
    both, one = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (both - auc * auc) + (negatives - 1) * (one - auc * auc)
    return math.sqrt(variance / positives / negatives)


def _exposure(rate: float, lift: float) -> float:
    """The usual formula for two proportions, with exact quantiles instead of 16."""
    reach = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    return 2 * reach**2 * rate * (1 - rate) / (rate * lift) ** 2


def _epsilon_reaches(end: float, length: float, wanted: float) -> float:
    slope = (end - 1) / length
    return (wanted - 1) / slope


def _half_life(rate: float) -> float:
    return math.log(0.5) / math.log1p(-rate)


def _intensity(rows: float, inner: float, columns: float) -> float:
    moved = sum(2 * count for count in (rows * inner, inner * columns, rows * columns))
    return rows * columns * (inner + inner) / moved


def _best_interval(cost: float, between: float) -> float:
    """The minimum of (cost / t + t / (2 · between)), found by ternary search on log t."""
    low, high = math.log(1.0), math.log(1e7)
    for _ in range(200):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        loss = [cost / math.exp(t) + math.exp(t) / (2 * between) for t in (a, b)]
        low, high = (low, b) if loss[0] < loss[1] else (a, high)
    return math.exp((low + high) / 2)


DEFINITIONS = {
    "llm/training-flops": Definition(
        lambda parameters, tokens: (2 + 4) * parameters * tokens, "FLOP", 1e18, 1e24, ("parameters", "tokens")
    ),
    "llm/chinchilla-tokens": Definition(lambda parameters: parameters * 20, "tokens", 1e9, 2e12, ("parameters",)),
    "llm/compute-optimal-size": Definition(
        lambda budget: (budget / 6 / 20) ** 0.5, "parameters", 1e8, 1e11, ("budget",)
    ),
    "llm/training-time": Definition(
        lambda parameters, tokens, devices, peak, utilisation: parameters * tokens * 6 / utilisation / peak / devices,
        "s",
        10.0,
        100 * 365 * DAY,
        ("parameters", "tokens"),
        ("devices", "peak", "utilisation"),
    ),
    "llm/kv-cache": Definition(
        lambda layers, heads, size, tokens, batch: batch * tokens * layers * (heads * size + heads * size) * 2,
        "B",
        1e7,
        100 * TB,
        ("layers", "heads", "size", "tokens", "batch"),
    ),
    "llm/decode-rate": Definition(
        lambda parameters, width, bandwidth: 1 / (parameters * width / bandwidth),
        "tokens/s",
        0.5,
        3000.0,
        ("bandwidth",),
        ("parameters", "width"),
    ),
    "llm/prefill-time": Definition(
        lambda parameters, tokens, peak, utilisation: parameters * tokens * 2 / peak / utilisation,
        "s",
        1e-3,
        200.0,
        ("parameters", "tokens"),
        ("peak", "utilisation"),
    ),
    "llm/attention-share": Definition(
        lambda width, tokens: _attention(tokens, width) / (_attention(tokens, width) + 2 * _block(width)),
        "%",
        0.004,
        0.6,
        ("tokens",),
        ("width",),
    ),
    "llm/vocabulary-projection": Definition(
        lambda tokens, width, words: tokens * words * (width + width), "FLOP", 1e11, 1e16, ("tokens", "width", "words")
    ),
    "llm/logits-memory": Definition(
        lambda sequences, tokens, words: 4 * words * tokens * sequences,
        "B",
        1e8,
        TB,
        ("sequences", "tokens", "words"),
    ),
    "llm/parameter-count": Definition(
        lambda layers, width, words: layers * _block(width) + words * width,
        "parameters",
        1e8,
        2e10,
        ("layers", "width", "words"),
    ),
    "llm/batch-steps": Definition(
        lambda batch, devices, sequences, tokens: batch / devices / sequences / tokens,
        "steps",
        1.0,
        1000.0,
        ("batch",),
        ("devices", "sequences", "tokens"),
    ),
    "llm/draft-and-verify": Definition(
        lambda rate, drafted: sum(rate**k for k in range(int(drafted) + 1)), "tokens", 2.0, 8.0, ("rate", "drafted")
    ),
    "llm/lora-size": Definition(
        lambda layers, matrices, width, rank: layers * matrices * (width * rank + rank * width),
        "parameters",
        1e5,
        1e9,
        ("layers", "matrices", "width", "rank"),
    ),
    "vision/convolution-flops": Definition(
        lambda inputs, outputs, kernel, side: side * side * outputs * (kernel * kernel * inputs) * 2,
        "FLOP",
        1e6,
        1e12,
        ("inputs", "outputs", "kernel", "side"),
    ),
    "vision/convolution-parameters": Definition(
        lambda channels, blocks: blocks * 2 * (channels * channels * 9), "parameters", 5e3, 1e8, ("channels", "blocks")
    ),
    "vision/receptive-field": Definition(_receptive_field, "pixels", 6.0, 300.0, ("per_stage", "stages")),
    "vision/patches": Definition(
        lambda side, patch: (side / patch) * (side / patch), "tokens", 49.0, 2e4, ("side",), ("patch",)
    ),
    "vision/vit-flops": Definition(_vit, "FLOP", 1e8, 1e13, ("layers", "width")),
    "vision/activation-memory": Definition(
        lambda batch, channels, side, maps: maps * batch * channels * side * side * 4,
        "B",
        2e7,
        200 * GB,
        ("batch", "channels", "side", "maps"),
    ),
    "vision/sampling-time": Definition(
        lambda steps, call, rate: (steps + steps) * call / rate, "s", 0.01, 1000.0, ("steps", "call"), ("rate",)
    ),
    "vision/latent-saving": Definition(
        lambda factor, channels: (factor * factor * 3) / channels, "", 3.0, 800.0, ("factor",), ("channels",)
    ),
    "vision/contrastive-logits": Definition(lambda batch: batch * batch * 4, "B", 6e7, 5 * GB, ("batch",)),
    "vision/reading-time": Definition(
        lambda pictures, size, bandwidth: pictures / (bandwidth / size),
        "s",
        5.0,
        10 * DAY,
        ("pictures", "size"),
        ("bandwidth",),
    ),
    "vision/separable-saving": Definition(
        lambda kernel, channels: (kernel**2 * channels * channels) / (kernel**2 * channels + channels * channels),
        "",
        5.0,
        50.0,
        ("kernel", "channels"),
    ),
    "vision/masked-encoder": Definition(
        lambda side, patch, hidden: (1 - hidden) * (side / patch) ** 2,
        "tokens",
        15.0,
        800.0,
        ("side",),
        ("hidden", "patch"),
    ),
    "rl/replay-buffer": Definition(
        lambda transitions, side, stack: transitions * (stack * side * side + stack * side * side),
        "B",
        5e8,
        100 * GB,
        ("transitions", "side", "stack"),
    ),
    "rl/effective-horizon": Definition(lambda discount: _geometric(discount), "steps", 9.0, 1001.0, ("discount",)),
    "rl/gae-horizon": Definition(
        lambda discount, mixing: _geometric(discount * mixing), "steps", 4.0, 50.0, ("discount", "mixing")
    ),
    "rl/discount-weight": Definition(
        lambda discount, delay: math.exp(delay * math.log(discount)), "%", 1e-5, 0.7, ("discount",), ("delay",)
    ),
    "rl/game-time": Definition(lambda frames: frames / 60, "s", 3600.0, 50 * DAY, ("frames",)),
    "rl/ppo-updates": Definition(
        lambda total, environments, length, epochs, parts: epochs * parts * total / length / environments,
        "steps",
        50.0,
        2e8,
        ("total", "epochs", "parts"),
        ("environments", "length"),
    ),
    "rl/collection-time": Definition(
        lambda total, environments, speed: total / environments / speed,
        "s",
        5.0,
        10 * DAY,
        ("total",),
        ("environments", "speed"),
    ),
    "rl/importance-variance": Definition(
        lambda variance, steps: math.prod([1 + variance] * int(steps)) - 1, "", 0.2, 4000.0, ("variance", "steps")
    ),
    "rl/exploration-schedule": Definition(_epsilon_reaches, "steps", 1e4, 4e6, ("length",), ("wanted",)),
    "rl/target-half-life": Definition(_half_life, "steps", 30.0, 800.0, (), ("rate",), tolerance=0.02),
    "rl/seeds-needed": Definition(
        lambda spread, wanted: spread * spread / (wanted * wanted), "runs", 3.0, 2000.0, ("spread",), ("wanted",)
    ),
    "rl/rollout-time": Definition(
        lambda prompts, samples, tokens, rate: prompts * samples * (tokens / rate),
        "s",
        1.0,
        2 * DAY,
        ("prompts", "samples", "tokens"),
        ("rate",),
    ),
    "recsys/embedding-table": Definition(lambda rows, width: 4 * width * rows, "B", 5e7, TB, ("rows", "width")),
    "recsys/adagrad-table": Definition(
        lambda rows, width, devices: (4 + 4) * width * rows / devices,
        "B",
        5e6,
        100 * GB,
        ("rows", "width"),
        ("devices",),
    ),
    "recsys/auc-error": Definition(_auc_error, "", 0.001, 0.05, (), ("positives", "negatives", "auc")),
    "recsys/hnsw-memory": Definition(
        lambda vectors, width, links: vectors * width * 4 + vectors * (2 * links) * 4,
        "B",
        1e8,
        5 * TB,
        ("vectors", "width", "links"),
    ),
    "recsys/pq-memory": Definition(
        lambda vectors, codes: vectors * 8 + vectors * codes, "B", 1e8, 100 * GB, ("vectors", "codes")
    ),
    "recsys/ivf-scan": Definition(
        lambda vectors, lists, probes: vectors / lists * probes, "vectors", 50.0, 1e7, ("vectors", "probes"), ("lists",)
    ),
    "recsys/exhaustive-search": Definition(
        lambda items, width, bandwidth: 4 * width * items / bandwidth,
        "s",
        1e-4,
        10.0,
        ("items", "width"),
        ("bandwidth",),
    ),
    "recsys/test-exposure": Definition(_exposure, "impressions", 1e4, 5e7, (), ("rate", "lift"), tolerance=0.025),
    "recsys/matrix-density": Definition(
        lambda interactions, users, items: interactions / users / items,
        "%",
        1e-6,
        0.15,
        ("interactions",),
        ("users", "items"),
    ),
    "recsys/effective-sample": Definition(
        lambda logged, spread: logged**2 / (logged * (1 + spread * spread)),
        "samples",
        50.0,
        3e6,
        ("logged",),
        ("spread",),
    ),
    "recsys/feature-log": Definition(
        lambda requests, candidates, features: 4 * features * candidates * requests,
        "B",
        1e11,
        3e15,
        ("requests", "candidates", "features"),
    ),
    "recsys/in-flight": Definition(
        lambda rate, latency: latency / (1 / rate), "requests", 5.0, 3e4, ("rate", "latency")
    ),
    "recsys/embedding-traffic": Definition(
        lambda batch, tables, width: batch * tables * width * 4, "B", 1e7, 50 * GB, ("batch", "tables", "width")
    ),
    "mlsys/training-state": Definition(
        lambda parameters: sum(part * parameters for part in (2, 2, 4, 4, 4)), "B", 5 * GB, 2 * TB, ("parameters",)
    ),
    "mlsys/sharded-state": Definition(
        lambda parameters, devices: sum(part * parameters for part in (2, 2, 4, 4, 4)) / devices,
        "B",
        1e8,
        TB,
        ("parameters",),
        ("devices",),
    ),
    "mlsys/ring-all-reduce": Definition(
        lambda parameters, devices, bandwidth: 2 * (devices - 1) * (2 * parameters / devices) / bandwidth,
        "s",
        5e-4,
        5.0,
        ("parameters", "devices"),
        ("bandwidth",),
    ),
    "mlsys/pipeline-bubble": Definition(_idle_share, "%", 0.005, 0.7, ("stages",), ("parts",)),
    "mlsys/ridge-point": Definition(
        lambda peak, bandwidth: peak / bandwidth, "FLOP/B", 5.0, 1200.0, ("peak",), ("bandwidth",)
    ),
    "mlsys/matmul-intensity": Definition(_intensity, "FLOP/B", 0.9, 3000.0, ("rows", "inner", "columns")),
    "mlsys/host-transfer": Definition(
        lambda parameters, bandwidth: (parameters + parameters) / bandwidth,
        "s",
        0.01,
        20.0,
        ("parameters",),
        ("bandwidth",),
    ),
    "mlsys/quantised-size": Definition(
        lambda parameters, bits, group: (parameters * bits + parameters / group * 16) / 8,
        "B",
        5e8,
        100 * GB,
        ("parameters", "bits"),
        ("group",),
    ),
    "mlsys/elementwise-time": Definition(
        lambda rows, columns, bandwidth: (rows * columns * 2 + rows * columns * 2) / bandwidth,
        "s",
        1e-6,
        5e-3,
        ("rows", "columns"),
        ("bandwidth",),
    ),
    "mlsys/layer-activations": Definition(
        lambda layers, tokens, batch, width: 34 * layers * tokens * batch * width,
        "B",
        GB,
        TB,
        ("layers", "tokens", "batch", "width"),
    ),
    "mlsys/score-matrix": Definition(
        lambda batch, heads, tokens: 2 * batch * heads * tokens * tokens, "B", 1e7, TB, ("batch", "heads", "tokens")
    ),
    "mlsys/checkpoint-time": Definition(
        lambda parameters, bandwidth: 3 * 4 * parameters / bandwidth, "s", 0.2, DAY, ("parameters",), ("bandwidth",)
    ),
    "mlsys/cluster-failures": Definition(
        lambda devices, life: 1 / (devices * (1 / life)), "s", 3600.0, 30 * DAY, ("life",), ("devices",)
    ),
    "mlsys/checkpoint-interval": Definition(_best_interval, "s", 60.0, DAY, ("cost", "between"), (), tolerance=1e-6),
    "mlsys/utilisation": Definition(
        lambda parameters, peak, speed: (2 + 4) * parameters / (peak / speed),
        "%",
        0.001,
        1.0,
        ("parameters", "speed"),
        ("peak",),
    ),
}
