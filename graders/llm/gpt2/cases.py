"""Inputs on which the known mistakes give different answers: small models with large weights, fresh at each run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import endings, oracle
from .endings import Item
from .oracle import Array, Config
from .stream import Tokens
from .updates import Schedule


@dataclass(frozen=True)
class Case:
    """A model and a question to it; weights are exact in float32."""

    config: Config
    weights: dict[str, Array]
    idx: Tokens  # (B, T)
    targets: Tokens  # (B, T), not the ids shifted: a loss that looks at idx instead is found out


# (vocab_size, block_size, n_layer, n_head, n_embd), B, T: several heads and layers, odd sizes, T below the block size.
TELLING = ((29, 11, 2, 3, 12), 3, 8)
# One head and one layer; T = 1; B = 1; a full block; heads of size one.
EDGES = (((17, 6, 1, 1, 8), 2, 6), ((31, 9, 3, 2, 10), 1, 1), ((23, 5, 2, 6, 6), 1, 5))
TINY = Config(vocab_size=19, block_size=8, n_layer=2, n_head=2, n_embd=8)


def draw(rng: np.random.Generator, sizes: tuple[int, int, int, int, int], batch: int, length: int) -> Case:
    """A model of these sizes with weights of order one, and ids in which every token of the vocabulary may occur."""
    config = Config(*sizes)
    return Case(config, draw_weights(rng, config), *(_ids(rng, config, batch, length) for _ in range(2)))


def draw_telling(rng: np.random.Generator) -> Case:
    """A model on which the usual mistakes are far apart."""
    return draw(rng, *TELLING)


def draw_for_loss(rng: np.random.Generator, mistakes: Sequence[oracle.Bugs], *, apart: float) -> Case:
    """A telling case on which the right loss and every mistake's differ by this much, relatively.

    A loss is one number: of 330 plain draws, one gives two of them to four digits alike.
    """
    while True:
        case = draw_telling(rng)
        scores = oracle.logits(case.weights, case.config, case.idx)
        losses = np.sort([oracle.loss(scores, case.idx, case.targets, bugs) for bugs in (oracle.NO_BUGS, *mistakes)])
        if (np.diff(losses) > apart * losses[1:]).all():
            return case


def draw_weights(rng: np.random.Generator, config: Config) -> dict[str, Array]:
    """Weights that make every part count: gains and biases that are not one and zero, scores that differ."""
    found = {}
    for name, shape in oracle.shapes(config).items():
        noise = rng.standard_normal(shape)
        if oracle.is_matrix(name):
            fan_in = 1.0 if name in ("wte.weight", "wpe.weight") else math.sqrt(shape[0])
            found[name] = noise * (1.5 if "c_attn" in name else 1.0) / fan_in
        else:
            found[name] = 0.4 * noise + (1.0 if name.endswith("weight") else 0.0)
    return exact(found)


def draw_gradients(rng: np.random.Generator, config: Config) -> dict[str, Array]:
    """Gradients of very different sizes, some of them as small as AdamW's epsilon."""
    found = {}
    for name, shape in oracle.shapes(config).items():
        sizes = 10.0 ** rng.uniform(-8.0, 0.0, shape)
        found[name] = rng.choice([-1.0, 1.0], shape) * sizes
    return exact(found)


def exact(weights: dict[str, Array]) -> dict[str, Array]:
    """The same weights, rounded to float32, so that both sides hold the same numbers."""
    return {name: value.astype(np.float32).astype(np.float64) for name, value in weights.items()}


def draw_gelu(rng: np.random.Generator) -> Case:
    """A model whose hidden units sit around -3, where the exact GELU and its tanh form differ by a tenth.

    The residual stream is small beside what the MLP adds, so that the difference is all that the last norm sees.
    """
    case = draw(rng, (29, 11, 1, 3, 12), 2, 8)
    weights = dict(case.weights)
    for name in ("wte.weight", "wpe.weight", "h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias"):
        weights[name] = weights[name] * 0.1
    weights["h.0.mlp.c_fc.weight"] = weights["h.0.mlp.c_fc.weight"] * 0.3
    weights["h.0.mlp.c_fc.bias"] = -3.0 + 0.2 * rng.standard_normal(weights["h.0.mlp.c_fc.bias"].shape)
    weights["h.0.mlp.c_proj.weight"] = weights["h.0.mlp.c_proj.weight"] * 300.0
    weights["h.0.mlp.c_proj.bias"] = weights["h.0.mlp.c_proj.bias"] * 0.1
    return Case(case.config, _readable(exact(weights)), case.idx, case.targets)


def draw_small(rng: np.random.Generator) -> Case:
    """A model whose embeddings are so small that the 1e-5 under the root of the layer norm is what decides."""
    case = draw(rng, (29, 11, 1, 3, 12), 2, 8)
    weights = dict(case.weights)
    for name in ("wte.weight", "wpe.weight"):
        weights[name] = weights[name] * 2e-3
    for name in ("h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias", "h.0.mlp.c_proj.weight", "h.0.mlp.c_proj.bias"):
        weights[name] = weights[name] * 1e-3
    return Case(case.config, exact(weights), case.idx, case.targets)


def _readable(weights: dict[str, Array]) -> dict[str, Array]:
    """The head is the small token embedding: a large last gain makes the logits of order one again."""
    return exact({**weights, "ln_f.weight": weights["ln_f.weight"] * 10.0})


def _ids(rng: np.random.Generator, config: Config, batch: int, length: int) -> Tokens:
    """Any ids, the first and the last of the vocabulary among them: some treat token 0 as padding."""
    found = rng.integers(0, config.vocab_size, batch * length)
    if found.size > 2:
        found[rng.choice(found.size, 2, replace=False)] = 0, config.vocab_size - 1
    return found.reshape(batch, length)


# ---- schedule --------------------------------------------------------------------------------------------------------


def draw_schedules(rng: np.random.Generator) -> list[Schedule]:
    """Usual schedules, and two at the edge: no warm-up at all, and a warm-up that lasts to the end."""
    high = float(rng.uniform(1e-4, 1e-2))
    low = high * float(rng.uniform(0.05, 0.3))
    warm, more = int(rng.integers(4, 12)), int(rng.integers(15, 40))
    return [Schedule(high, low, warm, warm + more), Schedule(high, low, 0, more), Schedule(high, low, warm, warm)]


# The worked example of the brief.
EXAMPLE_PLAN = Schedule(max_lr=1.0, min_lr=0.1, warmup_steps=4, max_steps=8)
EXAMPLE_RATES = np.array([0.25, 0.5, 0.75, 1.0, 1.0, 0.868198, 0.55, 0.231802, 0.1, 0.1])
EXAMPLE_SHARDS = (np.arange(5), np.arange(5, 11))


# ---- shards ----------------------------------------------------------------------------------------------------------


def draw_shards(rng: np.random.Generator, lengths: tuple[int, ...]) -> list[Tokens]:
    """Shards of these lengths; all ids differ, and many are beyond what 15 bits hold."""
    ids = rng.choice(50257, sum(lengths), replace=False)
    return np.split(ids, np.cumsum(lengths)[:-1])


# ---- endings ---------------------------------------------------------------------------------------------------------

# The best ending is this much better than the next, in nats per token: float32 noise is 1e-5.
_CLEAR = 0.02
# Of 28 questions, one that scores the last token of the context too once chose none other;
# of 40 runs, one gave two mistakes the same choices.
_TELLING_ITEMS = 3


def draw_items(rng: np.random.Generator, case: Case, count: int, *, shortest: int) -> list[Item]:
    """Questions with endings of different lengths, some of which begin alike, and a clear answer each."""
    model = row_model(case)
    items = (_item(rng, case.config, shortest) for _ in itertools.count())
    return list(itertools.islice((item for item in items if _clear_choice(model, item) is not None), count))


def draw_telling_items(
    rng: np.random.Generator, case: Case, count: int, *, shortest: int, mistakes: Sequence[oracle.Bugs]
) -> list[Item]:
    """The same, and so many that each mistake clearly chooses otherwise in several, and in one than each other does."""
    model = row_model(case)
    items: list[Item] = []
    chosen: list[list[int | None]] = []  # for each item: rightly, then by each mistake

    def add() -> None:
        items.extend(draw_items(rng, case, 1, shortest=shortest))
        chosen.append([_clear_choice(model, items[-1], bugs) for bugs in (oracle.NO_BUGS, *mistakes)])

    for _ in range(count):
        add()
    for one, other in itertools.combinations(range(len(mistakes) + 1), 2):
        wanted = 1 if one else _TELLING_ITEMS
        while sum(_differ(choices[one], choices[other]) for choices in chosen) < wanted:
            add()
    return items


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _clear_choice(model: endings.Model, item: Item, bugs: oracle.Bugs = oracle.NO_BUGS) -> int | None:
    """The ending that is chosen, if the best is well ahead of the second best."""
    ordered = np.sort(found := endings.scores(model, item, bugs))
    chosen, margin = (-1, ordered[-1] - ordered[-2]) if "highest-loss-chosen" in bugs else (0, ordered[1] - ordered[0])
    return int(np.argsort(found)[chosen]) if margin > _CLEAR else None


def row_model(case: Case) -> endings.Model:
    """The oracle's model on one row of ids, which remembers its answers."""
    known: dict[bytes, Array] = {}

    def answer(tokens: Tokens) -> Array:
        # more than fits only happens where a mistake pads: positions then stand still
        row = tokens[: case.config.block_size]
        key = row.tobytes()
        if key not in known:
            known[key] = oracle.log_softmax(oracle.logits(case.weights, case.config, row[None])[0])
        return known[key]

    return answer


def _item(rng: np.random.Generator, config: Config, shortest: int) -> Item:
    context = int(rng.integers(1, 6))
    longest = min(9, config.block_size - context)
    lengths = rng.choice(np.arange(shortest, longest + 1), size=int(rng.integers(3, 5)), replace=False)
    shared = rng.integers(0, config.vocab_size, longest)
    found = []
    for length in lengths:
        ending = rng.integers(0, config.vocab_size, length)
        alike = int(rng.integers(0, length))
        ending[:alike] = shared[:alike]
        found.append(ending.tolist())
    return Item(rng.integers(0, config.vocab_size, context).tolist(), found)
