"""The models of the checks: small random GPTs, drafts that agree or quarrel with them, pairs of known acceptance."""

from __future__ import annotations

import numpy as np

from . import oracle
from .oracle import Config, Model

Tokens = tuple[int, ...]

# Logits are then right to 1e-5 in float32; one draw in ten has a larger head.
LARGEST_HEAD = 8.0
# Target and draft.
SHAPES = (
    ((0.30, 0.30, 0.20, 0.20), (0.05, 0.05, 0.45, 0.45)),
    ((0.40, 0.28, 0.20, 0.12), (0.70, 0.10, 0.10, 0.10)),
    ((0.55, 0.25, 0.12, 0.08), (0.25, 0.05, 0.30, 0.40)),
)


def draw(
    rng: np.random.Generator, config: Config, *, sharpness: float = 1.0, attention: float = 1.0, dtype: str = "float32"
) -> Model:
    """A random GPT in which every position and every earlier token matters to the logits.

    Args:
        rng: the check's generator.
        config: its sizes.
        sharpness: the spread of the logits.
        attention: the spread of queries and keys. Sharp attention, at 2, amplifies rounding up to 1e-5 of the logits.
        dtype: of the weights.

    """
    width = config.width

    def normal(*shape: int, scale: float) -> np.ndarray:
        return (rng.standard_normal(shape) * scale).astype(dtype)

    weights = {
        "token_embedding": normal(config.vocab_size, width, scale=1.0),
        "position_embedding": normal(config.context, width, scale=1.0),
        "norm.gain": (1 + normal(width, scale=0.1)).astype(dtype),
        "norm.bias": normal(width, scale=0.1),
        "head": normal(width, config.vocab_size, scale=sharpness * width**-0.5),
    }
    for index in range(config.n_layers):
        layer = f"layer.{index}."
        for name, inputs, outputs, scale in (
            ("qkv", width, 3 * width, attention),
            ("out", width, width, 1.0),
            ("up", width, 4 * width, 1.0),
            ("down", 4 * width, width, 1.0),
        ):
            weights[f"{layer}w_{name}"] = normal(inputs, outputs, scale=scale * inputs**-0.5)
            weights[f"{layer}b_{name}"] = normal(outputs, scale=0.1)
        for norm in ("norm_1", "norm_2"):
            weights[f"{layer}{norm}.gain"] = (1 + normal(width, scale=0.1)).astype(dtype)
            weights[f"{layer}{norm}.bias"] = normal(width, scale=0.1)
    return Model(config, weights)


def designed(
    rng: np.random.Generator, config: Config, prompt: Tokens, chances: dict[Tokens, np.ndarray], temperature: float
) -> Model:
    """A random GPT whose next-token distributions, at this temperature, are given for some continuations of a prompt.

    All but the head is drawn; the head is the smallest matrix that maps the features of these contexts to the logits
    wanted there. There must be fewer contexts than channels, or nothing fits.
    """
    wanted = np.array([temperature * np.log(row) for row in chances.values()])
    wanted -= wanted.mean(axis=1, keepdims=True)
    while True:
        model = draw(rng, config, attention=1.5)
        features = _features(model, prompt, list(chances))
        head = np.linalg.lstsq(features, wanted, rcond=None)[0]
        # two contexts with nearly the same features would take a huge head, and float32 its digits
        if np.abs(head).max() < LARGEST_HEAD:
            return model.with_head(head)


def _features(model: Model, prompt: Tokens, continuations: list[Tokens]) -> np.ndarray:
    """What the head reads after each continuation, (contexts, C)."""
    reader = model.with_head(np.eye(model.config.width))
    by_length = {len(made): [other for other in continuations if len(other) == len(made)] for made in continuations}
    found: dict[Tokens, np.ndarray] = {}
    for group in by_length.values():
        ends = oracle.logits(reader, [prompt + made for made in group])[:, -1]
        found.update(zip(group, ends, strict=True))
    return np.array([found[made] for made in continuations])


def bigram(rng: np.random.Generator, config: Config, table: np.ndarray) -> Model:
    """A GPT whose next token depends on the last one alone, as the table says: row l is the distribution after l.

    Its layers do all their work and add nothing: the matrices at their ends are zero.
    """
    model = draw(rng, config)
    silent = {
        name: np.zeros_like(array)
        for name, array in model.weights.items()
        if name == "position_embedding" or name.rpartition(".")[2] in ("w_out", "b_out", "w_down", "b_down")
    }
    model = Model(config, {**model.weights, **silent})
    reader = model.with_head(np.eye(config.width))
    features = oracle.logits(reader, np.arange(config.vocab_size)[:, None])[:, 0]
    return model.with_head(np.linalg.lstsq(features, np.log(table), rcond=None)[0])


def blurred(rng: np.random.Generator, model: Model, amount: float) -> Model:
    """A draft that mostly agrees: the same model with noise on every weight, relative to that weight's spread."""
    return Model(
        model.config,
        {
            name: (array + amount * array.std() * rng.standard_normal(array.shape)).astype(array.dtype)
            for name, array in model.weights.items()
        },
    )


def telling_chances(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Distributions of target and draft over four tokens, between which every wrong rule gives something else.

    The draft proposes one or two tokens far too often; what is left over for the others is spread over several.
    """
    shape = SHAPES[rng.integers(len(SHAPES))]
    order = rng.permutation(4)
    p, q = (np.array(row)[order] * np.exp(rng.uniform(-0.15, 0.15, 4)) for row in shape)
    return p / p.sum(), q / q.sum()
