"""The oracle of llm/speculative against the starter's own model, and its filters against the definition."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from graders.llm.speculative import cases, models, oracle, probe
from graders.llm.speculative.oracle import Config, Filter, Model

ROOT = Path(__file__).resolve().parents[3]
STARTER = ROOT / "problems" / "llm" / "speculative" / "starter" / "tinygpt.py"
CONFIGS = [Config(7, 12, 1, 1, 4), Config(11, 20, 3, 3, 15), Config(5, 9, 2, 2, 14)]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tinygpt() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("tinygpt_of_the_starter", STARTER)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def plain(tinygpt: ModuleType, model: Model, dtype: str = "float64") -> Any:
    import torch

    weights = {name: torch.from_numpy(array.astype(dtype)) for name, array in model.weights.items()}
    return tinygpt.TinyGPT(tinygpt.Config(**model.config.as_dict()), weights)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_oracle_is_the_starters_model(tinygpt: ModuleType, config: Config) -> None:
    rng = np.random.default_rng(0)
    model = models.draw(rng, config, dtype="float64")
    tokens = rng.integers(config.vocab_size, size=config.context).tolist()
    for length in (1, 2, config.context):
        expected = plain(tinygpt, model).forward(tokens[:length]).numpy()
        assert np.abs(oracle.logits(model, tokens[:length])[0] - expected).max() < 1e-12


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_graders_own_model_is_the_starters_bit_for_bit(tinygpt: ModuleType, config: Config) -> None:
    import torch

    rng = np.random.default_rng(1)
    model = models.draw(rng, config)
    sent = {name: torch.from_numpy(array) for name, array in model.weights.items()}
    ours, theirs = probe.make_model(None, config.as_dict(), sent), plain(tinygpt, model, "float32")
    tokens = rng.integers(config.vocab_size, size=config.context).tolist()
    assert torch.equal(ours.forward(tokens), theirs.forward(tokens))
    assert {name: getattr(ours.config, name) for name in config.as_dict()} == config.as_dict()
    for each in (ours, theirs):
        with pytest.raises(ValueError, match="at most"):
            each.forward([*tokens, 0])


def test_the_starters_random_model_has_the_weights_that_the_grader_sends(tinygpt: ModuleType) -> None:
    config = CONFIGS[1]
    theirs = tinygpt.random_model(tinygpt.Config(**config.as_dict())).weights
    ours = models.draw(np.random.default_rng(0), config).weights
    assert {name: tuple(tensor.shape) for name, tensor in theirs.items()} == {
        name: array.shape for name, array in ours.items()
    }


@pytest.mark.parametrize("seed", range(5))
def test_chunks_give_the_logits_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = models.draw(rng, CONFIGS[1], dtype="float64")
    tokens = cases.draw_prompt(rng, 11, 20)
    for chunks in (cases.draw_chunks(rng, tokens), [[token] for token in tokens]):
        together = np.concatenate(oracle.chunked(model, chunks))
        assert np.abs(together - oracle.logits(model, tokens)[0]).max() < 1e-12


def test_greedy_is_the_plain_loop(tinygpt: ModuleType) -> None:
    rng = np.random.default_rng(3)
    model = models.draw(rng, CONFIGS[1])
    prompt = [3, 1, 4]
    found, lead = oracle.greedy_with_lead(model, prompt, 17)
    assert found == probe.plain_loop(None, plain(tinygpt, model), prompt, 17)
    rows = np.sort(oracle.logits(model, [*prompt, *found])[0, 2:-1], axis=1)
    assert lead == pytest.approx((rows[:, -1] - rows[:, -2]).min())
    assert oracle.greedy(model, prompt, 0) == []


def test_sequences_have_the_products_of_their_steps() -> None:
    model = models.draw(np.random.default_rng(4), Config(3, 8, 1, 2, 6))
    chances = oracle.sequence_probabilities(model, (1, 2), 3, 0.7)
    assert chances.shape == (3, 3, 3)
    assert chances.sum() == pytest.approx(1.0)
    for tokens in itertools.product(range(3), repeat=3):
        expected = 1.0
        for count in range(3):
            scores = oracle.logits(model, [1, 2, *tokens[:count]])[0, -1] / 0.7
            expected *= float(np.exp(scores[tokens[count]]) / np.exp(scores).sum())
        assert chances[tokens] == pytest.approx(expected)


def test_temperature_zero_puts_everything_on_the_largest_logit() -> None:
    assert oracle.tempered(np.array([[1.0, 3.0, 2.0]]), 0).tolist() == [[0.0, 1.0, 0.0]]


def by_definition(scores: np.ndarray, asked: Filter) -> np.ndarray:
    """The filters of the brief word for word: among all sets of tokens, the one that it describes."""
    p = np.exp(scores / asked.temperature)
    p /= p.sum()
    tokens = range(len(p))
    count = min(asked.top_k or len(p), len(p))
    kept = max(itertools.combinations(tokens, count), key=lambda some: p[list(some)].sum())
    share = np.zeros(len(p))
    share[list(kept)] = p[list(kept)] / p[list(kept)].sum()
    if asked.top_p is not None:
        sets = (some for size in range(1, count + 1) for some in itertools.combinations(kept, size))
        enough = [some for some in sets if share[list(some)].sum() >= asked.top_p - 1e-12]
        size = min(len(some) for some in enough)
        best = max((some for some in enough if len(some) == size), key=lambda some: share[list(some)].sum())
        share[[token for token in tokens if token not in best]] = 0.0
    answer: np.ndarray = share / share.sum()
    return answer


@pytest.mark.parametrize("seed", range(8))
def test_the_filters_are_the_briefs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal(6)
    for asked in (
        Filter(top_k=3), Filter(top_k=1), Filter(top_k=60), Filter(top_p=0.6), Filter(top_p=1.0), Filter(top_p=0.01),
        Filter(temperature=0.5, top_k=4, top_p=0.7), Filter(temperature=2.0, top_p=0.8), Filter(temperature=2.0),
    ):  # fmt: skip
        assert np.abs(oracle.filtered(scores, asked) - by_definition(scores, asked)).max() < 1e-12


def test_the_filters_of_the_briefs_example() -> None:
    scores = np.log([0.5, 0.3, 0.15, 0.05])
    assert oracle.filtered(scores, Filter(top_p=0.7)) == pytest.approx([0.625, 0.375, 0, 0])
    assert oracle.filtered(scores, Filter(top_k=3)) == pytest.approx([0.526, 0.316, 0.158, 0], abs=5e-4)
    both = Filter(top_k=3, top_p=0.52)
    assert oracle.filtered(scores, both) == pytest.approx([1, 0, 0, 0])
    unscaled = oracle.filtered(scores, both, frozenset({"top-k-not-renormalised/nucleus"}))
    assert unscaled == pytest.approx([0.625, 0.375, 0, 0])
