"""The oracle beside autograd, finite differences and torch's own attention; the mistakes beside the truth."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from graders.kit.attention_mistakes import BLOCKED, NARROW, OVERFLOWING, PLAIN, candidates
from graders.kit.attention_oracle import Heads, backward, forward
from tests.problems.mlsys_flash_attention.conftest import LOCATION, WRONG, claim, part

names = ("backward_mistakes", "calls", "cases", "example", "misconceptions", "movement", "speed", "suite")
backward_mistakes, calls, cases, example, misconceptions, movement, speed, suite = map(part, names)
# What can be recognised is this many tolerances away from the truth.
SEPARATION = 50.0


def off(found: np.ndarray, right: np.ndarray) -> float:
    """Largest distance relative to the largest element; NaN where there should be none is infinitely far."""
    if not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - right).max() / (np.abs(right).max() or 1.0))


def drawn(seed: int, shape: tuple[int, ...], causal: bool) -> Any:
    return cases.draw(np.random.default_rng(seed), shape, causal)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 7, 16), (1, 1, 1, 32), (1, 2, 33, 64)])
def test_both_passes_agree_with_torch_and_with_autograd(shape: tuple[int, ...], causal: bool) -> None:
    import torch

    case = drawn(1, shape, causal)
    leaves = [torch.tensor(array, requires_grad=True) for array in case.heads.in_float64()]
    o = torch.nn.functional.scaled_dot_product_attention(*leaves, is_causal=causal)
    scores = leaves[0] @ leaves[1].transpose(-1, -2) / math.sqrt(shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), float("-inf"))
    found = torch.autograd.grad(o, leaves, torch.from_numpy(case.do))
    assert off(case.answer.o, o.detach().numpy()) < 1e-12
    assert np.abs(case.answer.lse - torch.logsumexp(scores, -1).detach().numpy()).max() < 1e-12
    for name, gradient in zip(("dq", "dk", "dv"), found, strict=True):
        right = gradient.numpy()
        assert np.abs(case.gradients[name] - right).max() < 1e-12, name
        task = backward_mistakes.Task(case.heads, case.do)
        assert np.abs(backward_mistakes.gradient(task, name) - right).max() < 1e-12, name
        given = backward_mistakes.given(case.heads, case.do, case.answer.lse, case.answer.o)[name]
        assert np.abs(given - right).max() < 1e-12, name


@pytest.mark.parametrize("causal", [True, False])
def test_gradients_are_the_slopes_of_the_forward_pass(causal: bool) -> None:
    case = drawn(2, (1, 2, 9, 16), causal)
    rng, step = np.random.default_rng(3), 1e-5
    parts = dict(zip("qkv", case.heads.in_float64(), strict=True))
    for name in "qkv":
        direction = rng.standard_normal(case.shape)
        ends = []
        for sign in (1.0, -1.0):
            moved = {**parts, name: parts[name] + sign * step * direction}
            ends.append(float((forward(Heads(**moved, causal=causal)).o * case.do).sum()))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert slope == pytest.approx(float((case.gradients[f"d{name}"] * direction).sum()), rel=1e-6)


def test_rows_of_dq_are_those_of_the_whole() -> None:
    case = drawn(4, (1, 1, 30, 16), True)
    q, k, v = (array[0, 0] for array in case.heads.in_float64())
    rows = [0, 7, 29]
    found = speed.rows_of_queries(q[rows], k, v, case.do[0, 0, rows], rows)
    assert np.abs(found - case.gradients["dq"][0, 0, rows]).max() < 1e-12


# ---- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [True, False])
def test_mistakes_of_the_backward_pass_are_far_from_the_truth(causal: bool) -> None:
    """In one gradient at least, or, where blocks do not matter at this length, not at all."""
    case = cases.draw_long(np.random.default_rng(5), causal)
    needed = SEPARATION * calls.BACKWARD.relative
    seen = set()
    for name, answer in backward_mistakes.slips(case.heads, case.do, backward_mistakes.SLIPS):
        distances = [off(answer(key), right) for key, right in case.gradients.items()]
        assert max(distances) > needed or max(distances) < 1e-9, (name, distances)
        if max(distances) > needed:
            seen.add(name)
    expected = {slip.misconception for slip in backward_mistakes.SLIPS if causal or slip.shows == "always"}
    assert seen == expected - ({"mask-by-block"} if not causal else set())


@pytest.mark.parametrize("causal", [True, False])
def test_mistakes_of_the_forward_pass_are_far_from_the_truth(causal: bool) -> None:
    case = cases.draw_long(np.random.default_rng(6), causal)
    right = case.answer.o
    seen = set()
    for name, answer in candidates(case.heads, PLAIN + BLOCKED):
        distance = off(answer().o, right)
        assert distance > SEPARATION * calls.FORWARD.relative or distance < 1e-9, name
        seen |= {name} if distance > 1e-9 else set()
    assert {"accumulator-not-rescaled", "scale-missing", "last-block-dropped", "first-block-only"} <= seen
    assert ("padding-counted" in seen) != causal
    for name, answer in misconceptions.LogSums(case.heads).candidates():
        assert off(answer(), case.answer.lse) > SEPARATION * calls.LSE.relative, name


@pytest.mark.parametrize("seed", range(3))
def test_large_scores_tell_what_overflows(seed: int) -> None:
    case = cases.draw_large(np.random.default_rng(seed), True)
    assert all(np.isfinite(right).all() for right in (case.answer.o, case.answer.lse, *case.gradients.values()))
    for _, answer in candidates(case.heads, OVERFLOWING[:2]):
        assert off(answer().o, case.answer.o) > SEPARATION * calls.LARGE.relative
    for _, answer in backward_mistakes.slips(case.heads, case.do, backward_mistakes.OVERFLOWING):
        assert max(off(answer(key), right) for key, right in case.gradients.items()) > SEPARATION * calls.LARGE.relative


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("seed", range(3))
def test_narrow_sums_leave_the_range_of_float16_and_come_back(seed: int, dtype: str) -> None:
    for case, name in zip(cases.draw_narrow(np.random.default_rng(seed), dtype), ("dq", "dk"), strict=True):
        right = case.gradients[name]
        assert 100.0 < np.abs(right).max() < 60_000.0
        half = {"dq": case.heads.k, "dk": case.heads.q}[name][..., : case.heads.length // 2, :]
        assert np.abs(half).sum(-2).min() * 25_600.0 / case.heads.length / 4.0 > 65_504.0
    case = cases.draw_half(np.random.default_rng(seed), dtype)
    for _, answer in candidates(case.heads, NARROW):
        assert np.isinf(answer().o).all()


def test_addresses_are_read_as_numpy_has_them() -> None:
    for layouts in suite.LAYOUTS:
        case = cases.Case(drawn(7, (2, 3, 5, 16), True).heads, np.ones((2, 3, 5, 16)), layouts=layouts)
        for index, array in enumerate((case.heads.q, case.heads.k, case.heads.v, case.do)):
            own = misconceptions.strides_of(case, index)
            assert np.array_equal(misconceptions.read(case, index, own), array)


# ---- bytes -----------------------------------------------------------------------------------------------------------


def test_square_blocks_are_good_enough_for_every_head() -> None:
    for budget in suite.BUDGETS:
        for head_dim in movement.SIZES:
            for element_bytes in (2, 4):
                best = movement.best_queries(head_dim, budget, element_bytes)
                square = [
                    size
                    for size in movement.SIZES
                    if movement.Blocks(size, size, head_dim, element_bytes).held() <= budget
                ]
                assert not best or max(square, default=0) >= best // 2, (budget, head_dim, element_bytes)


def test_the_best_block_halves_with_the_budgets_of_the_law() -> None:
    assert [movement.best_queries(16, budget, 4) for budget in suite.HALVINGS] == [128, 64, 32]
    for budget, lengths in suite.HALVINGS.items():
        assert all(length % movement.best_queries(16, budget, 4) == 0 for length in lengths)


def test_a_wrong_prediction_is_seen_in_one_of_the_settings() -> None:
    seen, known = set(), set()
    for shape, budget, dtype, causal in suite.PREDICTIONS:
        element_bytes = 4 if dtype == "float32" else 2
        queries = movement.best_queries(shape[3], budget, element_bytes)
        for blocks in (movement.Blocks(queries, 16, shape[3], element_bytes),):
            right = blocks.moved(shape[2], causal)
            for name, told in movement.wrong_predictions(blocks, shape[2], causal):
                known.add(name)
                seen |= {name} if abs(told / right - 1.0) > suite.PREDICTION_TOLERANCE else set()
    assert seen == known


# ---- the brief and the misconceptions --------------------------------------------------------------------------------


def brief() -> str:
    return LOCATION.brief.read_text(encoding="utf-8")


def test_the_worked_example_of_the_brief_is_the_one_of_the_suite() -> None:
    import torch

    found: dict[str, Any] = {"torch": torch, "math": math}
    section = brief().split("## A worked example")[1].split("\n## ")[0]
    for block in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
        exec(block, found)
    heads = example.CASE.heads
    for name in ("q", "k", "v"):
        assert np.allclose(found[name].numpy(), getattr(heads, name), atol=1e-6), name
    assert np.allclose(found["do"].numpy(), example.CASE.do)
    right = {"o": forward(heads).o, "lse": forward(heads).lse, **backward(heads, example.CASE.do)}
    for name, printed in example.PRINTED.items():
        assert np.abs(right[name] - printed).max() < 5.1e-5, name
        line = re.search(rf"^{name} +(-?\d\.\d{{4}}) +(-?\d\.\d{{4}}) +(-?\d\.\d{{4}})$", section, flags=re.MULTILINE)
        assert line is not None, name
        row = printed[0, 0, :, 0] if printed.ndim == 4 else printed[0, 0]
        assert np.abs(np.array(line.groups(), dtype=np.float64) - row).max() < 1e-6, name


def test_the_bytes_of_the_brief_are_right() -> None:
    for queries, keys in ((16, 16), (32, 32), (64, 16), (128, 16)):
        blocks = movement.Blocks(queries, keys, 16, 4)
        assert f"| {queries} and {keys} | {blocks.held():,} | {blocks.moved(512, False):,} | " in brief()
        assert f" | {blocks.moved(512, True):,} |" in brief()


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.checks:
        assert f"`{check.name}`" in brief(), check.name


def test_every_misconception_has_a_wrong_submission_and_every_mistake_its_words() -> None:
    described = set(LOCATION.load().misconceptions)
    computed = {mistake.misconception for mistake in PLAIN + BLOCKED + OVERFLOWING + NARROW}
    computed |= {slip.misconception for slip in backward_mistakes.SLIPS + backward_mistakes.OVERFLOWING}
    blocks = movement.Blocks(64, 16, 16, 4)
    computed |= {name for causal in (True, False) for name, _ in movement.wrong_predictions(blocks, 200, causal)}
    case = drawn(8, (1, 1, 4, 16), True)
    computed |= {name for name, _ in misconceptions.LogSums(case.heads).candidates()}
    assert computed <= described
    claimed = {claim(folder).split("diagnosis:")[1].split()[0] for folder in WRONG}
    assert described <= claimed
