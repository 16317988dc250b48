"""The questions of the checks, drawn so that every known mistake gives an answer of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import models, oracle
from .algorithm import Algorithm, Task, Tokens, only_outcome
from .misconceptions import COUNTS, GREEDY_STEPS, name_of
from .oracle import Config, Filter, Model

# The largest logit leads by at least this much wherever a greedy choice counts. The models of these tasks have sharp
# attention, which shows mistakes sooner; float32 was off by 8e-6 of the largest logit at most, in 1,200 draws.
CLEAR_LEAD = 2e-3

# Temperature and gamma of the sampled tasks; each draws models of its own.
SAMPLED = ((2.0, 1), (1.0, 2), (0.5, 3))
SAMPLED_TOKENS = 4
_DESIGNED = 3
_FOUR = Config(vocab_size=4, context=16, n_layers=1, n_heads=4, width=48)


def draw_prompt(rng: np.random.Generator, vocab_size: int, length: int) -> Tokens:
    """A prompt without a token twice in a row, as far as it goes."""
    tokens: list[int] = []
    while len(tokens) < length:
        token = int(rng.integers(vocab_size))
        if not tokens or token != tokens[-1]:
            tokens.append(token)
    return tuple(tokens)


def draw_chunks(rng: np.random.Generator, tokens: Sequence[int]) -> list[list[int]]:
    """The tokens cut into chunks, single ones and longer ones, the first never the only one."""
    while True:
        cuts = sorted({0, len(tokens), *(int(place) for place in rng.integers(1, len(tokens), 5))})
        chunks = [list(tokens[start:end]) for start, end in itertools.pairwise(cuts)]
        sizes = [len(chunk) for chunk in chunks]
        if len(chunks) >= 4 and sizes[0] > 1 and max(sizes[1:]) > 1 and 1 in sizes[1:-1]:
            return chunks


def draw_sampled(rng: np.random.Generator, temperature: float, gamma: int) -> Task:
    """Two small models whose distributions quarrel after every continuation of the prompt by up to two tokens."""
    prompt = draw_prompt(rng, 4, 2)
    contexts = [made for length in range(_DESIGNED) for made in itertools.product(range(4), repeat=length)]
    chances = {made: models.telling_chances(rng) for made in contexts}
    target, draft = (
        models.designed(rng, _FOUR, prompt, {made: pair[which] for made, pair in chances.items()}, temperature)
        for which in (0, 1)
    )
    return Task(target, draft, prompt, SAMPLED_TOKENS, gamma, temperature)


def draw_greedy(
    rng: np.random.Generator, config: Config, draft: str, gamma: int, *, prompt_length: int = 3, count: int = 12
) -> Task:
    """A task at temperature 0 in which no choice is close; the draft is `same`, `agreeing`, `other` or `hostile`."""
    while True:
        target = models.draw(rng, config, sharpness=2.0, attention=2.0)
        prompt = draw_prompt(rng, config.vocab_size, prompt_length)
        task = Task(target, _draft(rng, target, draft), prompt, count, gamma, 0.0)
        algorithm = Algorithm(task)
        algorithm.outcomes()
        if algorithm.smallest_margin > CLEAR_LEAD:
            return task


def another_prompt(rng: np.random.Generator, task: Task) -> Tokens:
    """A shorter prompt that begins otherwise, from which no choice of these models is close."""
    while True:
        prompt = draw_prompt(rng, task.target.config.vocab_size, len(task.prompt) - 2)
        algorithm = Algorithm(replace(task, prompt=prompt, _scores={}))
        algorithm.outcomes()
        if prompt[0] != task.prompt[0] and algorithm.smallest_margin > CLEAR_LEAD:
            return prompt


def draw_stepped(rng: np.random.Generator, config: Config, gamma: int) -> Task:
    """A greedy task in which every mistaken step gives other tokens, and no two of them the same."""
    while True:
        task = draw_greedy(rng, config, "agreeing", gamma, count=18)
        texts = {only_outcome(task, frozenset({bug})).tokens for bug in ("", *GREEDY_STEPS)}
        if len(texts) == 1 + len(GREEDY_STEPS):
            return task


def draw_counted(rng: np.random.Generator, gamma: int) -> Task:
    """A greedy task in which no two mistakes give the same counts; with gamma above 1 all of them show."""
    config = Config(int(rng.integers(8, 12)), 80, 2, 3, 12)
    while True:
        task = draw_greedy(rng, config, "agreeing", gamma, count=18)
        seen = {only_outcome(task).counts: "right"}
        names = {bug: seen.setdefault(only_outcome(task, frozenset({bug})).counts, name_of(bug)) for bug in COUNTS}
        told_apart = all(found in (name_of(bug), "right") for bug, found in names.items())
        if told_apart and (gamma == 1 or "right" not in names.values()):
            return task


def _draft(rng: np.random.Generator, target: Model, kind: str) -> Model:
    if kind == "same":
        return target
    if kind == "agreeing":
        return models.blurred(rng, target, 0.1)
    if kind == "hostile":  # what the target likes best, it likes least
        return target.with_head(-target.weights["head"])
    smaller = replace(target.config, n_layers=1, width=target.config.n_heads * 3)
    return models.draw(rng, smaller, sharpness=2.0, attention=2.0)


# Sorted chances of the tokens that the filters choose from, and of fewer, for settings that must keep all of them.
_STEEP, _FLAT = (0.27, 0.21, 0.16, 0.12, 0.09, 0.07, 0.05, 0.03), (0.32, 0.26, 0.23, 0.19)
FILTERED_TOKENS = 5
_TIED = (0.36, 0.22, 0.22, 0.12, 0.08)


@dataclass(frozen=True)
class FilterCase:
    """A model whose scores are the same in every context, how tokens are asked for, and what is right.

    Attributes:
        model: the model.
        prompt: what it continues.
        asked: the settings.
        scores: its logits.
        right: each distribution that is right.
        count: tokens of one run.

    """

    model: Model
    prompt: Tokens
    asked: Filter
    scores: np.ndarray
    right: tuple[np.ndarray, ...]
    count: int

    def mistaken(self, bug: str) -> np.ndarray:
        """What a learner with this mistake draws from."""
        return oracle.filtered(self.scores, self.asked, frozenset({bug}))


def draw_filters(rng: np.random.Generator) -> list[FilterCase]:
    """One case for each thing that a filter may get wrong."""
    steep, flat, tied = (_constant_model(rng, row) for row in (_STEEP, _FLAT, _TIED))
    large = len(_FLAT) + int(rng.integers(1, 50))
    return [
        _filter_case(*steep, Filter(top_k=3)),
        _filter_case(*steep, Filter(top_p=_between(steep, 1.0, rng.integers(2, 4)))),
        # of the four that are left, two have 0.63 of the mass: 0.58 stops there, unless it is counted among all
        _filter_case(*steep, Filter(top_k=4, top_p=0.58)),
        _filter_case(*steep, Filter(temperature=2.0, top_p=_between(steep, 2.0, 4))),
        _filter_case(*steep, Filter(temperature=0.25, top_k=3)),
        _filter_case(*flat, Filter(top_k=large)),
        _filter_case(*flat, Filter(top_p=1.0)),
        _filter_case(*steep, Filter(top_k=1)),
        _filter_case(*steep, Filter(top_p=0.02)),
        _tied_case(*tied, Filter(top_k=2)),
        _tied_case(*tied, Filter(top_p=0.47)),
    ]


def _constant_model(rng: np.random.Generator, sorted_chances: Sequence[float]) -> tuple[Model, Tokens, np.ndarray]:
    """A model whose next token always has these chances, in an order without fixed points."""
    size = len(sorted_chances)
    order = rng.permutation(size)
    while (order == np.arange(size)).any():
        order = rng.permutation(size)
    chances = np.empty(size)
    chances[order] = sorted_chances
    config = Config(vocab_size=size, context=12, n_layers=1, n_heads=2, width=12)
    model = models.bigram(rng, config, np.tile(chances, (size, 1)))
    # tokens with equal chances have equal columns, to the bit
    first = {chance: int(np.flatnonzero(chances == chance)[0]) for chance in chances}
    model = model.with_head(model.weights["head"][:, [first[chance] for chance in chances]])
    prompt = draw_prompt(rng, size, 3)
    return model, prompt, oracle.logits(model, prompt)[0, -1]


def _between(drawn: tuple[Model, Tokens, np.ndarray], temperature: float, count: int) -> float:
    """A top_p that keeps so many tokens, far from where it would keep one more or less."""
    sums = np.cumsum(np.sort(oracle.tempered(drawn[2], temperature))[::-1])
    return round(float(sums[count - 2] + sums[count - 1]) / 2, 3)


def _filter_case(model: Model, prompt: Tokens, scores: np.ndarray, asked: Filter) -> FilterCase:
    return FilterCase(model, prompt, asked, scores, (oracle.filtered(scores, asked),), count=FILTERED_TOKENS)


def _tied_case(model: Model, prompt: Tokens, scores: np.ndarray, asked: Filter) -> FilterCase:
    """Two tokens tie for the last place: either of them may stay, or both.

    One token at a time: which of them stays may depend on the last bit, and so on the context.
    """
    first, *tied = (int(token) for token in np.argsort(-scores, kind="stable")[:3])
    right = []
    for kept in ([first, tied[0]], [first, tied[1]], [first, *tied]):
        chances = np.zeros(len(scores))
        chances[kept] = oracle.tempered(scores, 1.0)[kept]
        right.append(chances / chances.sum())
    return FilterCase(model, prompt, asked, scores, tuple(right), count=1)


def draw_clear_prompt(rng: np.random.Generator, model: Model, length: int, count: int) -> Tokens | None:
    """A prompt from which the greedy loop never has to choose between close logits; None if none is found."""
    for _ in range(20):
        prompt = draw_prompt(rng, model.config.vocab_size, length)
        if oracle.greedy_with_lead(model, prompt, count)[1] > CLEAR_LEAD:
            return prompt
    return None
