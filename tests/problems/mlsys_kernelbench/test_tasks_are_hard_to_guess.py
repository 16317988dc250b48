"""No task is solved by a constant or by ignoring an input: measured, in tolerances of the public benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.kit import task_files
from graders.mlsys.kernelbench import cases, tasks
from tests.problems.mlsys_kernelbench.conftest import SMALL, small, task_source

TASKS = list(tasks.OUTPUTS)
# A task that is drawn again has to differ from the best constant by this many tolerances of 1e-4, and from what it
# would be with one input exchanged or with one parameter exchanged, too. Least seen: 194, where linear_logsumexp has
# another bias; the median task has 4,100. Run this file as a module for all figures.
LEAST = 100.0
TOLERANCE = 1e-4
SEEDS = range(6)


def forward(task: str, seed: int, exchanged: int | None = None, parameter: str | None = None) -> list[np.ndarray]:
    """The outputs at small size; one input or one parameter can be another seed's."""
    import torch

    file = task_files.load(small(task_source(task), SMALL), task, with_model=True)
    inputs = task_files.inputs(file, seed, "cpu")
    if exchanged is not None:
        inputs[exchanged] = task_files.inputs(file, seed + 1000, "cpu")[exchanged]
    model = task_files.model(file.Model, task_files.init_inputs(file, "cpu"), 0, "cpu").double()
    with torch.no_grad():
        for number, (name, value) in enumerate(sorted(model.named_parameters())):
            torch.manual_seed(seed + number + (1000 if name == parameter else 0))
            value.add_(torch.randn_like(value) * 0.5)
        output = model(*(item.double() if item.is_floating_point() else item for item in inputs))
    return [one.numpy() for one in (output if isinstance(output, tuple) else (output,))]


def share_wrong(guess: np.ndarray, right: np.ndarray) -> float:
    """The share of elements that a guess gets wrong at the public tolerance."""
    return float((np.abs(guess - right) > TOLERANCE + TOLERANCE * np.abs(right)).mean())


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square distance in tolerances."""
    allowed = TOLERANCE + TOLERANCE * np.abs(other)
    return float(np.sqrt(np.mean(np.square((one - other) / allowed))))


def figures(task: str) -> dict[str, float]:
    """The least distance in tolerances over the seeds, of each way to guess."""
    least: dict[str, float] = {}

    def note(name: str, value: float) -> None:
        least[name] = min(least.get(name, np.inf), value)

    file = task_files.load(small(task_source(task), SMALL), task, with_model=True)
    count = len(task_files.inputs(file, 0, "cpu"))
    model = file.Model(*task_files.init_inputs(file, "cpu"))
    for seed in SEEDS:
        right, other = forward(task, seed), forward(task, seed + 500)
        for number, (one, before) in enumerate(zip(right, other, strict=True)):
            note(f"zeros, output {number}", distance(np.zeros_like(one), one))
            note(f"the best constant, output {number}", distance(np.full_like(one, np.median(before)), one))
            note(f"an earlier answer, output {number}", distance(before, one))
        for exchanged in range(count):
            changed = forward(task, seed, exchanged=exchanged)
            note(f"input {exchanged} ignored", max(map(distance, changed, right)))
        for name, _ in model.named_parameters():
            changed = forward(task, seed, parameter=name)
            note(f"{name} ignored", max(map(distance, changed, right)))
    return least


@pytest.mark.parametrize("task", TASKS)
def test_no_guess_comes_near(task: str) -> None:
    least = figures(task)
    assert min(least.values()) > LEAST, least


@pytest.mark.parametrize("task", TASKS)
def test_zeros_and_constants_get_nearly_every_element_wrong(task: str) -> None:
    """The known hole: outputs so small or so alike that zeros pass at a loose tolerance."""
    for right, before in zip(forward(task, 1), forward(task, 2), strict=True):
        if right.size == 1:
            continue
        assert share_wrong(np.zeros_like(right), right) > 0.5
        assert share_wrong(np.full_like(right, np.median(before)), right) > 0.5


@pytest.mark.parametrize("task", TASKS)
def test_the_inputs_of_the_checks_spread(task: str) -> None:
    """The same for the small inputs of the core rung, at its own tolerance."""
    for way in cases.WAYS:
        rng = np.random.default_rng(3)
        first, second = (cases.draw(task, way, rng).expected()[0] for _ in range(2))
        for answer in (first, second):
            scale = np.abs(answer).max()
            assert np.isfinite(answer).all()
            assert scale > 0
            if answer.size > 1:
                # small inputs make a softmax nearly even, on purpose: five tolerances of the core rung have to do there
                assert np.ptp(answer) > (1e-2 if way == "ordinary" else 5e-5) * scale, (task, way)
        guess = np.median(second)
        assert np.abs(first - guess).max() > 1e-3 * np.abs(first).max()


def _print_figures() -> None:
    """`python -m tests.problems.mlsys_kernelbench.test_tasks_are_hard_to_guess` prints what docs and comments say."""
    for task in TASKS:
        least: dict[str, Any] = figures(task)
        name = min(least, key=lambda key: least[key])
        print(f"{task:22} {least[name]:12.0f} tolerances: {name}")


if __name__ == "__main__":
    _print_figures()
