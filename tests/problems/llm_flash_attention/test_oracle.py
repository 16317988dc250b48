"""The oracle of flash attention beside torch's own attention and autograd; the mistakes beside each other."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

from graders.kit.attention_mistakes import ALL_BLOCKS, BLOCKED, NARROW, OVERFLOWING, PLAIN, KernelMistakes, candidates
from graders.kit.attention_oracle import Heads, backward, forward, rows_of_forward
from graders.kit.blocked_attention import Blocks, blocked
from tests.problems.llm_flash_attention.conftest import LOCATION, WRONG, part

cases, oracle, suite, misconceptions, movement = map(part, ("cases", "oracle", "suite", "misconceptions", "movement"))
# A mistake must be this many tolerances away from the truth and from every other mistake.
SEPARATION = 100.0
NEEDED = SEPARATION * suite.TOLERANCE.relative


def off(found: np.ndarray, right: np.ndarray) -> float:
    """Largest distance relative to the largest element, with NaN equal to NaN and different patterns infinitely far."""
    strange = ~np.isfinite(found)
    if found.shape != right.shape or not np.array_equal(strange, ~np.isfinite(right)):
        return float("inf")
    if strange.all():
        return 0.0
    return float(np.abs(found[~strange] - right[~strange]).max() / (np.abs(right[~strange]).max() or 1.0))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 7, 16), (1, 1, 1, 32), (1, 2, 33, 64)])
def test_the_oracle_agrees_with_torch_and_with_autograd(shape: tuple[int, ...], causal: bool) -> None:
    import torch

    rng = np.random.default_rng(1)
    q, k, v, do = (rng.standard_normal(shape) for _ in range(4))
    leaves = [torch.tensor(array, requires_grad=True) for array in (q, k, v)]
    o = torch.nn.functional.scaled_dot_product_attention(*leaves, is_causal=causal)
    heads = Heads(q, k, v, causal)
    answer = forward(heads)
    assert off(answer.o, o.detach().numpy()) < 1e-12
    found = torch.autograd.grad(o, leaves, torch.from_numpy(do))
    for name, gradient in zip(("dq", "dk", "dv"), found, strict=True):
        assert np.abs(backward(heads, do)[name] - gradient.numpy()).max() < 1e-12, name
    scores = leaves[0] @ leaves[1].transpose(-1, -2) / shape[-1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), float("-inf"))
    assert off(answer.lse, torch.logsumexp(scores, -1).detach().numpy()) < 1e-12
    rows = [0, shape[2] - 1]
    some = rows_of_forward(q[0, 0, rows], k[0, 0], v[0, 0], rows, causal)
    assert off(some, answer.o[0, 0, rows]) < 1e-12


def test_the_block_agrees_with_torch() -> None:
    import torch

    inputs = cases.draw_block(np.random.default_rng(2), 2, 9, 3, 16)
    x, w_qkv, b_qkv, w_out, b_out = (torch.from_numpy(array).double() for array in inputs.arrays())
    q, k, v = (x @ w_qkv + b_qkv).view(2, 9, 3, 3, 16).permute(2, 0, 3, 1, 4)
    heads = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    y = heads.transpose(1, 2).reshape(2, 9, 48) @ w_out + b_out
    right = oracle.block(inputs)
    assert off(right, y.numpy()) < 1e-12
    for mistake in oracle.BLOCK_MISTAKES:
        assert off(oracle.block(inputs, mistake), right) > NEEDED, mistake


@pytest.mark.parametrize("blocks", ALL_BLOCKS, ids=str)
def test_without_a_mistake_blocks_change_nothing(blocks: Blocks) -> None:
    rng = np.random.default_rng(3)
    for length, causal in itertools.product((1, 16, 100, 257), (True, False)):
        q, k, v = (rng.standard_normal((1, 1, length, 16)) for _ in range(3))
        heads = Heads(q, k, v, causal)
        right, found = forward(heads), blocked(heads, blocks)
        assert off(found.o, right.o) < 1e-12
        assert off(found.lse, right.lse) < 1e-12


def told_apart(found: list[tuple[str, Any]], right: np.ndarray) -> None:
    """Every mistake that shows is far from the truth, and from every other one."""
    showing = []
    for name, answer in found:
        distance = off(answer, right)
        assert distance < 1e-9 or distance > NEEDED, name
        if distance > NEEDED:
            showing.append((name, answer))
    for (first, one), (second, other) in itertools.combinations(showing, 2):
        assert first == second or off(one, other) > NEEDED, (first, second)


@pytest.mark.parametrize("seed", range(1))
def test_mistakes_of_the_kernel_are_far_apart(seed: int) -> None:
    """With a mask; those that need none show there too, but for keys that are counted beyond the end."""
    case = cases.draw_long(np.random.default_rng(seed))
    found = [(name, answer().o) for name, answer in candidates(case.heads, PLAIN + BLOCKED)]
    told_apart(found, forward(case.heads).o)


@pytest.mark.parametrize("seed", range(3))
def test_padding_that_is_counted_shows_without_a_mask(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = cases.draw(rng, cases.draw_long(rng).shape, False)
    known = tuple(mistake for mistake in PLAIN + BLOCKED if mistake.misconception != "mask-with-zero")
    found = [(name, answer().o) for name, answer in candidates(case.heads, known)]
    assert {"padding-counted", "last-block-dropped", "accumulator-not-rescaled"} <= {name for name, _ in found}
    told_apart(found, forward(case.heads).o)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("causal", [True, False])
def test_large_scores_tell_what_overflows(seed: int, causal: bool) -> None:
    case = cases.draw_large(np.random.default_rng(seed), causal)
    right = forward(case.heads).o
    assert np.isfinite(right).all()
    found = [(name, answer().o) for name, answer in candidates(case.heads, OVERFLOWING)]
    told_apart(found, right)
    if causal:
        missed = {"softmax-without-max", "max-starts-at-zero", "max-of-first-block", "max-includes-hidden"}
        assert {name for name, answer in found if off(answer, right) > NEEDED} == missed


@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_accumulator_overflows_whatever_the_blocks(seed: int) -> None:
    case = cases.draw_half(np.random.default_rng(seed), "float16")
    for _, answer in candidates(case.heads, NARROW):
        assert np.isinf(answer().o).all()


@pytest.mark.parametrize("causal", [True, False])
def test_a_few_positions_rule_most_mistakes_out_and_never_the_one_that_was_made(causal: bool) -> None:
    rng = np.random.default_rng(6)
    case = cases.draw(rng, cases.draw_long(rng).shape, causal)
    known = PLAIN + BLOCKED + OVERFLOWING + NARROW
    every = list(candidates(case.heads, known))
    kept = []
    for name, answer in every[::9]:
        noisy = answer().o
        noisy = noisy + 0.02 * np.abs(noisy[np.isfinite(noisy)]).max(initial=0.0) * rng.uniform(-1.0, 1.0, noisy.shape)
        sieved = [found for found, _ in KernelMistakes(case.heads, known).sieved({"o": noisy}).candidates()]
        assert name in sieved
        kept.append(len(sieved))
    assert np.mean(kept) < len(every) / 4


def test_an_answer_of_another_shape_rules_nothing_out() -> None:
    case = cases.draw_long(np.random.default_rng(6))
    mistakes = KernelMistakes(case.heads, PLAIN)
    names = [name for name, _ in mistakes.sieved({"o": np.zeros((1, 1, 3, 16))}).candidates()]
    assert names == [name for name, _ in mistakes.candidates()]


def test_addresses_are_read_as_numpy_has_them() -> None:
    rng = np.random.default_rng(5)
    for layouts in suite.LAYOUTS:
        case = cases.Case(cases.draw(rng, (2, 3, 5, 16), True).heads, layouts=layouts)
        for index, array in enumerate((case.heads.q, case.heads.k, case.heads.v)):
            own = misconceptions.strides_of(case, index)
            assert np.array_equal(misconceptions.read(case, index, own), array)
            swapped = misconceptions.read(case, index, (own[0], own[2], own[1], own[3]))
            assert not np.array_equal(swapped, array)


def test_the_causal_draw_leaves_what_the_brief_says() -> None:
    n = movement.CAUSAL_BLOCKS[1]
    assert (n + 1) / (2 * n) == pytest.approx(0.52, abs=5e-3)  # square blocks
    assert 0.5 + 3 / (2 * n) < suite.CAUSAL_FRACTION  # twice as many keys as queries
    assert 0.5 + 5 / (2 * movement.CAUSAL_BLOCKS[0]) < suite.CAUSAL_FRACTION  # four times


# ---- the brief and the misconceptions --------------------------------------------------------------------------------


def brief() -> str:
    return LOCATION.brief.read_text(encoding="utf-8")


def test_the_worked_example_of_the_brief_is_the_one_of_the_suite() -> None:
    import math

    import torch

    names: dict[str, Any] = {"torch": torch, "math": math}
    section = brief().split("## A worked example")[1].split("\n## ")[0]
    for block in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
        exec(block, names)
    heads = cases.EXAMPLE.heads
    for name in "qkv":
        assert np.allclose(names[name].numpy(), getattr(heads, name), atol=1e-6), name
    assert np.abs(forward(heads).o - cases.EXAMPLE_O).max() < 5.1e-5
    printed = np.array(re.findall(r"(\d\.\d{4})  (\d\.\d{4})", section), dtype=np.float64)
    assert np.abs(printed - cases.EXAMPLE_O[0, 0, :, :2]).max() < 1e-6


def test_the_bytes_of_the_brief_are_right() -> None:
    naive = movement.naive_bytes(512)
    assert f"| naive | {naive:,} |" in brief()
    for block in (16, 32, 64, 128):
        moved = 2 * 512 * movement.ROW_BYTES * (1 + 512 // block)
        assert f"{moved:,}" in brief(), block


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.checks:
        assert f"`{check.name}`" in brief(), check.name


def test_every_misconception_has_a_wrong_submission_and_every_mistake_its_words() -> None:
    described = set(LOCATION.load().misconceptions)
    computed = {mistake.misconception for mistake in PLAIN + BLOCKED + OVERFLOWING + NARROW}
    computed |= {name.partition("/")[0] for name in oracle.BLOCK_MISTAKES}
    assert computed <= described
    claimed = {path.read_text(encoding="utf-8").splitlines()[0].split("diagnosis:")[1].strip() for path in WRONG}
    assert described <= claimed
