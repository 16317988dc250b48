"""The grader of llm/gpt2 must be right itself: its oracle against torch, its inputs, its brief."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from graders.llm.gpt2 import beginnings, cases, endings, misconceptions, oracle, stream, suite, updates
from graders.llm.gpt2.gradients import loss_and_gradients
from graders.llm.gpt2.oracle import Array, Config

ROOT = Path(__file__).resolve().parents[3]
PROBLEM = ROOT / "problems" / "llm" / "gpt2"
WRONG = ROOT / "graders" / "llm" / "gpt2" / "wrong"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def torch_logits(weights: Mapping[str, Any], config: Config, idx: Any) -> Any:
    """The network out of torch's own parts, in float64: a second source beside the oracle."""
    import torch
    from torch.nn import functional as F

    width, heads = config.n_embd, config.n_head
    x = weights["wte.weight"][idx] + weights["wpe.weight"][: idx.shape[1]]
    for layer in range(config.n_layer):
        own = {name.removeprefix(f"h.{layer}."): value for name, value in weights.items()}
        seen = F.layer_norm(x, (width,), own["ln_1.weight"], own["ln_1.bias"])
        qkv = torch.addmm(own["attn.c_attn.bias"], seen.flatten(0, 1), own["attn.c_attn.weight"])
        q, k, v = (part.view(*idx.shape, heads, -1).transpose(1, 2) for part in qkv.split(width, dim=-1))
        merged = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(*idx.shape, width)
        x = x + merged @ own["attn.c_proj.weight"] + own["attn.c_proj.bias"]
        read = F.layer_norm(x, (width,), own["ln_2.weight"], own["ln_2.bias"])
        hidden = F.gelu(read @ own["mlp.c_fc.weight"] + own["mlp.c_fc.bias"], approximate="tanh")
        x = x + hidden @ own["mlp.c_proj.weight"] + own["mlp.c_proj.bias"]
    x = F.layer_norm(x, (width,), weights["ln_f.weight"], weights["ln_f.bias"])
    return x @ weights["wte.weight"].T


CASES = [cases.TELLING, *cases.EDGES]


@pytest.mark.parametrize("sizes", CASES)
def test_logits_loss_and_gradients_agree_with_autograd(sizes: Any) -> None:
    import torch

    case = cases.draw(np.random.default_rng(1), *sizes)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in case.weights.items()}
    scores = torch_logits(leaves, case.config, torch.from_numpy(case.idx))
    loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), torch.from_numpy(case.targets).flatten())
    right = oracle.logits(case.weights, case.config, case.idx)
    assert np.abs(scores.detach().numpy() - right).max() < 1e-10 * np.abs(right).max()
    assert oracle.loss(right, case.idx, case.targets) == pytest.approx(loss.item(), rel=1e-12)
    value, gradients = loss_and_gradients(case.weights, case.config, case.idx, case.targets)
    assert value == pytest.approx(loss.item(), rel=1e-12)
    found = torch.autograd.grad(loss, list(leaves.values()))
    for name, gradient in zip(leaves, found, strict=True):
        assert np.abs(gradient.numpy() - gradients[name]).max() < 1e-10 * max(1.0, np.abs(gradients[name]).max()), name


def test_gradients_agree_with_differences() -> None:
    case = cases.draw(np.random.default_rng(2), *cases.TELLING)
    _, gradients = loss_and_gradients(case.weights, case.config, case.idx, case.targets)
    rng = np.random.default_rng(3)
    for name, gradient in gradients.items():
        direction = rng.standard_normal(gradient.shape)
        ends = [
            oracle.loss(
                oracle.logits({**case.weights, name: case.weights[name] + step * direction}, case.config, case.idx),
                case.idx,
                case.targets,
            )
            for step in (1e-6, -1e-6)
        ]
        slope = float((gradient * direction).sum())
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slope, rel=1e-6, abs=1e-7), name


def test_adamw_agrees_with_torch() -> None:
    import torch

    rng = np.random.default_rng(4)
    weights: dict[str, Array] = cases.draw_weights(rng, cases.TINY)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    groups = [
        {"params": [leaf for name, leaf in leaves.items() if oracle.is_matrix(name) is decays], "weight_decay": decay}
        for decays, decay in ((True, 0.3), (False, 0.0))
    ]
    theirs = torch.optim.AdamW(groups, lr=1.0, betas=(0.8, 0.9), eps=1e-8)
    ours = updates.AdamW(0.3, (0.8, 0.9))
    for rate in (0.1, 0.05, 0.2):
        gradients = cases.draw_gradients(rng, cases.TINY)
        for group in theirs.param_groups:
            group["lr"] = rate
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(gradients[name])
        theirs.step()
        weights = ours.step(weights, gradients, rate)
    for name, leaf in leaves.items():
        assert np.abs(leaf.detach().numpy() - weights[name]).max() < 1e-12, name


def test_the_mean_of_micro_batches_is_the_gradient_of_one_large_batch() -> None:
    rng = np.random.default_rng(5)
    weights = cases.draw_weights(rng, cases.TINY)
    parts = [tuple(rng.integers(0, 19, (2, 5)) for _ in range(2)) for _ in range(3)]
    answers = [loss_and_gradients(weights, cases.TINY, x, y) for x, y in parts]
    together = loss_and_gradients(
        weights, cases.TINY, np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
    )
    gathered = updates.gather([loss for loss, _ in answers], [found for _, found in answers], 1e9)
    assert gathered.loss == pytest.approx(together[0], rel=1e-12)
    for name, gradient in together[1].items():
        assert np.abs(gathered.gradients[name] - gradient).max() < 1e-12


def test_clipping_agrees_with_torch() -> None:
    import torch

    found = cases.draw_gradients(np.random.default_rng(6), cases.TINY)
    leaves = [torch.nn.Parameter(torch.zeros(value.shape, dtype=torch.float64)) for value in found.values()]
    for leaf, value in zip(leaves, found.values(), strict=True):
        leaf.grad = torch.tensor(value)
    norm = torch.nn.utils.clip_grad_norm_(leaves, 0.5).item()
    gathered = updates.gather([1.0], [found], 0.5)
    assert gathered.grad_norm == pytest.approx(norm, rel=1e-12)
    for leaf, value in zip(leaves, gathered.gradients.values(), strict=True):
        assert leaf.grad is not None
        assert np.abs(leaf.grad.numpy() - value).max() < 1e-5  # torch adds 1e-6 to the norm


def test_the_published_size() -> None:
    assert oracle.parameter_count(Config(50257, 1024, 12, 12, 768)) == suite.PARAMETERS == 124_439_808


# ---- inputs that tell mistakes apart ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_every_forward_mistake_shows_in_one_of_the_cases(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = [draw(rng) for draw in (cases.draw_telling, cases.draw_small, cases.draw_gelu)]
    right = [oracle.logits(case.weights, case.config, case.idx) for case in drawn]
    for name, ways in misconceptions.FORWARD_BUGS.items():
        for way in ways:
            off = [
                np.nanmax(np.abs(oracle.logits(case.weights, case.config, case.idx, frozenset({way})) - answer))
                / np.abs(answer).max()
                for case, answer in zip(drawn, right, strict=True)
            ]
            assert max(off) > 10 * suite.LOGITS_TOLERANCE.relative, (name, way, off)


@pytest.mark.parametrize("seed", range(3))
def test_every_way_to_miss_an_ending_gives_other_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = cases.draw(rng, (37, 16, 1, 2, 8), 1, 1)
    ways = [frozenset({way}) for ways in misconceptions.ENDING_BUGS.values() for way in ways]
    items = cases.draw_telling_items(rng, case, 28, shortest=2, mistakes=ways)
    model = cases.row_model(case)
    chosen = {tuple(endings.choose(model, item, bugs) for item in items) for bugs in (oracle.NO_BUGS, *ways)}
    assert len(chosen) == len(ways) + 1


def test_every_way_to_read_shards_wrongly_gives_other_batches() -> None:
    size = 5
    shards = cases.draw_shards(np.random.default_rng(7), (5 * size + 3, size, 4 * size + 2, 3 * size + 1))
    readers = [stream.Reader(shards, 2, size, rank, 3) for rank in range(3)]
    right = [[batch.tolist() for pair in reader.batches(8) for batch in pair] for reader in readers]
    for ways in (*misconceptions.SHARD_BUGS.values(), *misconceptions.RANK_BUGS.values()):
        for way in ways:
            found = [
                [batch.tolist() for pair in reader.batches(8, frozenset({way})) for batch in pair] for reader in readers
            ]
            assert found != right, way


def test_the_ranks_together_read_every_token_once_in_an_epoch() -> None:
    tokens = np.arange(48)
    readers = [stream.Reader([tokens[:20], tokens[20:]], 2, 4, rank, 3) for rank in range(3)]
    seen = np.concatenate([x.ravel() for reader in readers for x, _ in reader.batches(2)])
    assert sorted(seen) == list(range(48))


# ---- first weights ---------------------------------------------------------------------------------------------------


def test_first_weights_as_asked_for_pass_and_others_do_not() -> None:
    rng = np.random.default_rng(8)
    config = beginnings.CONFIG

    def draw(scale: float = 1.0) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for name, shape in oracle.shapes(config).items():
            deviation = oracle.deviation(name, config)
            found[name] = np.ones(shape) if deviation is None else scale * deviation * rng.standard_normal(shape)
        return found

    for _ in range(20):
        assert beginnings.judge(draw(), config)["worst_deviation"] < 0.1
    from deepfield_cli.errors import CheckFailed

    with pytest.raises(CheckFailed):
        beginnings.judge(draw(1.2), config)


# ---- the brief -------------------------------------------------------------------------------------------------------


def brief() -> str:
    return (PROBLEM / "README.md").read_text(encoding="utf-8")


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.checks:
        assert f"`{check.name}`" in brief(), check.name


def test_the_worked_example_of_the_brief_is_right() -> None:
    reader = stream.Reader(cases.EXAMPLE_SHARDS, 2, 2)
    for number, (x, y) in enumerate(reader.batches(4)):
        rows = ["[" + " ".join(f"[{' '.join(map(str, row))}]" for row in part.tolist()) + "]" for part in (x, y)]
        assert f"| {number} | {rows[0]} | {rows[1]} |" in brief()
    rates = [updates.learning_rate(step, cases.EXAMPLE_PLAN) for step in range(10)]
    assert np.abs(np.array(rates) - cases.EXAMPLE_RATES).max() < 5.1e-7
    printed = next(line for line in brief().splitlines() if line.startswith("    0.25   0.5"))
    assert [float(number) for number in re.findall(r"[\d.]+", printed)] == cases.EXAMPLE_RATES.tolist()


def test_every_misconception_has_words_and_a_wrong_submission() -> None:
    described = set(yaml.safe_load((PROBLEM / "problem.yaml").read_text(encoding="utf-8"))["misconceptions"])
    tables = [table for name, table in vars(misconceptions).items() if name.endswith("_BUGS")]
    assert {name for table in tables for name in table} <= described
    claims = [path.read_text(encoding="utf-8").splitlines()[0] for path in WRONG.glob("*/*.py")]
    assert described <= {claim.split("diagnosis:")[1].split()[0] for claim in claims}


def test_the_published_bars_stand_in_the_targets() -> None:
    from graders.llm.gpt2 import published

    targets = {
        target["id"]: target
        for target in yaml.safe_load((PROBLEM / "problem.yaml").read_text(encoding="utf-8"))["targets"]
    }
    loss, accuracy = targets["val_loss_finewebedu"], targets["hellaswag_completion"]
    assert (loss["value"], loss["tolerance"]) == (published.LOSS_TO_REACH, published.LOSS_SLACK)
    assert (accuracy["value"], accuracy["tolerance"]) == (published.ACCURACY_TO_REACH, published.ACCURACY_SLACK)
    assert accuracy["spread"] == pytest.approx(math.sqrt(0.3 * 0.7 / published.HELLASWAG_ITEMS), abs=1e-4)
