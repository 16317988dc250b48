"""The work that the probe counts, to the last multiplication, and what the form of an answer may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Tensor
from graders.llm.speculative import asking, models, probe, verdicts
from graders.llm.speculative.algorithm import Outcome
from graders.llm.speculative.oracle import Config


def counted(work: Any) -> int:
    with probe.Products() as products:
        work()
    return int(products.total)


def test_every_kind_of_product_is_counted() -> None:
    import torch
    from torch.nn import functional

    a, b, c = torch.randn(3, 5), torch.randn(5, 7), torch.randn(7)
    stack, other = torch.randn(2, 3, 5), torch.randn(2, 5, 4)
    for work, expected in (
        (lambda: a @ b, 3 * 5 * 7),
        (lambda: torch.addmm(c, a, b), 3 * 5 * 7),
        (lambda: functional.linear(a, b.T, c), 3 * 5 * 7),
        (lambda: functional.linear(a, b.T), 3 * 5 * 7),
        (lambda: a @ b[:, 0], 3 * 5),
        (lambda: a[0] @ b, 5 * 7),
        (lambda: torch.dot(a[0], b[:, 0]), 5),
        (lambda: stack @ other, 2 * 3 * 5 * 4),
        (lambda: torch.baddbmm(torch.zeros(2, 3, 4), stack, other), 2 * 3 * 5 * 4),
        (lambda: torch.einsum("bik,bkj->bij", stack, other), 2 * 3 * 5 * 4),
        (lambda: torch.einsum("ik,kj->ij", a, b), 3 * 5 * 7),
        (lambda: (a[:, :, None] * b[None]).sum(1), 3 * 5 * 7),
        (lambda: a * 2 + a * a, 0),
        (lambda: functional.layer_norm(a, (5,)), 0),
        (lambda: a.softmax(-1), 0),
    ):
        assert counted(work) == expected


def test_products_are_counted_in_inference_mode_too() -> None:
    import torch

    a, b = torch.randn(3, 5), torch.randn(5, 7)

    def work() -> None:
        with torch.inference_mode():
            a @ b
            torch.nn.functional.linear(a, b.T)

    assert counted(work) == 2 * 3 * 5 * 7


def test_fused_attention_counts_both_of_its_products() -> None:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    q, k = torch.randn(1, 2, 3, 8), torch.randn(1, 2, 9, 8)
    assert counted(lambda: scaled_dot_product_attention(q, k, k)) == 2 * (2 * 3 * 9 * 8)
    mask = torch.ones(3, 9, dtype=torch.bool)
    assert counted(lambda: scaled_dot_product_attention(q, k, k, attn_mask=mask)) == 2 * (2 * 3 * 9 * 8)


@pytest.mark.parametrize("length", [1, 5, 16])
def test_the_plain_model_takes_what_the_formula_says(length: int) -> None:
    import torch

    config = Config(13, 16, 2, 2, 8)
    model = models.draw(np.random.default_rng(0), config)
    sent = {name: torch.from_numpy(array) for name, array in model.weights.items()}
    plain = probe.make_model(None, config.as_dict(), sent)
    attention = config.n_layers * 2 * length * length * config.width
    expected = length * (asking.layer_products(config) + config.width * config.vocab_size) + attention
    assert counted(lambda: plain.forward([3] * length)) == expected <= asking.most_products(config, length)
    assert expected >= asking.WORK_FLOOR * length * asking.layer_products(config)


def test_a_step_that_reads_everything_again_is_over_the_bar() -> None:
    config = Config(vocab_size=13, context=64, n_layers=2, n_heads=2, width=32)
    assert 40 * asking.layer_products(config) > 10 * asking.most_products(config, 1)


# ---- the form of an answer -------------------------------------------------------------------------------------------


def plain(answer: Any, count: int = 3, prompt: tuple[int, ...] = (7, 8, 9, 1)) -> tuple[int, ...]:
    return verdicts.plain_tokens(answer, count, prompt, 10, "the answer")


def test_lists_tuples_and_tensors_of_integers_are_tokens() -> None:
    for answer in ([1, 2, 3], (1, 2, 3), Tensor(np.array([1, 2, 3])), [Tensor(np.array(1)), 2, Tensor(np.array([3]))]):
        assert plain(answer) == (1, 2, 3)


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        (None, "wrong-type"),
        ("123", "wrong-type"),
        ([1, 2.0, 3], "wrong-type"),
        ([1, True, 3], "wrong-type"),
        (Tensor(np.array([[1, 2, 3]])), "wrong-type"),
        (Tensor(np.array([1.0, 2.0, 3.0])), "wrong-type"),
        ([7, 8, 9, 1, 1, 2, 3], "returns-the-prompt"),
        ([], "counts-the-prompt"),
        ([1, 2, 3, 4], "overshoots"),
        ([1, 2], None),
        ([1, 2, 10], None),
        ([1, 2, -1], None),
    ],
)
def test_anything_else_is_not(answer: Any, diagnosis: str | None) -> None:
    with pytest.raises(CheckFailed) as caught:
        plain(answer)
    assert caught.value.diagnosis == diagnosis


def test_a_pair_of_tokens_and_counts_is_an_outcome() -> None:
    stats = {"target_calls": 2, "accepted": Tensor(np.array(1)), "proposed": 3, "more": "is welcome"}
    assert verdicts.plain_outcome(([1, 2, 3], stats), 3, (0,), 10) == Outcome((1, 2, 3), 3, 1, 2)


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        ([1, 2, 3], "wrong-type"),
        (([1, 2, 3], [1, 2, 3]), "wrong-type"),
        (([1, 2, 3], {"proposed": 1, "accepted": 1}), "missing-key"),
        (([1, 2, 3], {"proposed": 1, "accepted": 1.0, "target_calls": 2}), "wrong-type"),
    ],
)
def test_no_other_pair_is_one(answer: Any, diagnosis: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        verdicts.plain_outcome(answer, 3, (0,), 10)
    assert caught.value.diagnosis == diagnosis
