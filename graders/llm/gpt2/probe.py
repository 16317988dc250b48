"""What can only be seen beside the model: its parameters, its optimizer's groups, a step with given gradients."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import torch  # noqa: TID253 - the worker holds torch before it reads this
from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: TID253

_SIZES = ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")


def full_size(module: ModuleType) -> dict[str, Any]:
    """The sizes that GPTConfig() has, and the number of different parameter elements of GPT(GPTConfig()).

    On the meta device nothing is allocated or drawn; where a constructor cannot do without numbers, they are made.
    """
    config = module.GPTConfig()
    try:
        with torch.device("meta"):
            model = module.GPT(config)
    except (RuntimeError, NotImplementedError, ValueError, TypeError):
        model = module.GPT(config)
    different = {id(parameter): parameter.numel() for parameter in model.parameters()}
    return {"sizes": {name: getattr(config, name, None) for name in _SIZES}, "count": sum(different.values())}


def parameters(module: ModuleType, model: Any) -> dict[str, Any]:
    """Every parameter by its name; one that is shared comes once."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def groups(module: ModuleType, model: Any, optimizer: Any) -> list[dict[str, Any]]:
    """The optimizer's groups: which of the model's parameters each holds (None for one that is not the model's)."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [
        {
            "names": [names.get(id(parameter)) for parameter in group["params"]],
            "options": {name: group.get(name) for name in ("lr", "weight_decay", "betas", "eps")},
        }
        for group in optimizer.param_groups
    ]


def optimize(
    module: ModuleType, model: Any, optimizer: Any, several: Sequence[Mapping[str, Any]], rates: Sequence[float]
) -> list[dict[str, Any]]:
    """One step for each dict of gradients (by the learner's names), with this rate; the parameters after each step."""
    by_name = dict(model.named_parameters())
    after = []
    for gradients, rate in zip(several, rates, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for name, parameter in by_name.items():
            parameter.grad = gradients[name].to(parameter.dtype).clone()
        optimizer.step()
        after.append(parameters(module, model))
    return after


def gradient_step(
    module: ModuleType, model: Any, micro_batches: Sequence[tuple[Any, Any]], max_norm: float, stale: float
) -> tuple[Any, dict[str, Any]]:
    """train_step with plain gradient descent of rate 1, so that the change of each weight is minus its gradient.

    `stale` is left in every .grad before, as an evaluation with gradients may leave it.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, stale)
    before = parameters(module, model)
    report = module.train_step(model, optimizer, list(micro_batches), max_norm)
    after = parameters(module, model)
    return report, {name: before[name].double() - after[name].double() for name in before}


def rates(module: ModuleType, steps: Sequence[int], plan: Sequence[Any]) -> list[Any]:
    """learning_rate at each of these steps."""
    return [module.learning_rate(step, *plan) for step in steps]


def batches(module: ModuleType, shards: Any, count: int) -> list[Any]:
    """The next batches."""
    return [shards.next_batch() for _ in range(count)]


def choices(module: ModuleType, model: Any, items: Sequence[tuple[list[int], list[list[int]]]]) -> list[Any]:
    """choose_ending for each question."""
    return [module.choose_ending(model, list(context), [list(one) for one in endings]) for context, endings in items]


def disturb(module: ModuleType, model: Any) -> None:
    """Change every parameter, as training does."""
    for parameter in model.parameters():
        parameter.data.add_(1.0)


def count_steps(module: ModuleType, path: str, pause_after: int | None = None) -> None:
    """From now on every optimizer step adds one byte to this file, so that the grader can watch from outside.

    After step number `pause_after` nothing goes on: that is where the grader kills.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    seen = 0

    def note(*_: Any) -> None:
        nonlocal seen
        seen += 1
        os.write(descriptor, b".")
        while seen == pause_after:
            time.sleep(1.0)

    register_optimizer_step_post_hook(note)


def parameter_total(module: ModuleType, model: Any) -> int:
    """Elements of all different parameters."""
    return sum({id(parameter): parameter.numel() for parameter in model.parameters()}.values())


@torch.no_grad()
def token_losses(module: ModuleType, model: Any, rows: Any) -> Any:
    """The loss of every token but the first of each row, (B, T) to (B, T - 1), in nats."""
    model.eval()
    scores, _ = model(rows[:, :-1])
    flat = torch.nn.functional.cross_entropy(scores.flatten(0, 1).float(), rows[:, 1:].flatten(), reduction="none")
    return flat.view(rows.shape[0], -1)
