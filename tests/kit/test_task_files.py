"""Task files with what the public ones hold: nested modules, lambdas, seeds, constants, several outputs."""

from __future__ import annotations

import pytest

from graders.kit import task_files

RICH = """
import math
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(7)  # whatever a file does to the generators, inputs follow the grader's seed
WIDTH = 2 * 3
SIZES = [WIDTH, WIDTH + 1]
scale = lambda width: 1 / math.sqrt(width)


@dataclass
class Settings:
    width: int
    heads: "int" = 2


class Block(nn.Module):
    class Inner(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.linear = nn.Linear(width, width, bias=False)

        def forward(self, x):
            return self.linear(x)

    def __init__(self, width):
        super().__init__()
        self.inner = Block.Inner(width)
        self.activation = lambda x: x * scale(width)

    def forward(self, x):
        return self.activation(self.inner(x))


class Model(nn.Module):
    def __init__(self, settings, sizes, bias):
        super().__init__()
        self.blocks = nn.Sequential(*(Block(settings.width) for _ in range(settings.heads)))
        self.register_buffer("bias", bias)
        self.sizes = sizes

    def forward(self, x, mask, options=None):
        y = self.blocks(x) + self.bias
        return y.masked_fill(mask, 0.0), {"sum": y.sum()}, [y.shape[0]]


def get_inputs():
    noise = torch.from_numpy(np.random.rand(4, WIDTH)).float() + random.random()
    return [torch.rand(4, WIDTH) + noise, torch.rand(4, WIDTH) > 0.5]


def get_init_inputs():
    return [Settings(WIDTH), {"sizes": SIZES}, torch.ones(WIDTH)]
"""


def test_a_rich_task_file_runs_as_it_is() -> None:
    import torch

    whole = task_files.load(RICH, "rich", with_model=True)
    model = task_files.model(whole.Model, task_files.init_inputs(whole, "cpu"), 3, "cpu")
    x, mask = task_files.inputs(whole, 5, "cpu")
    answer, more, shape = model(x, mask)
    assert answer.shape == (4, 6)
    assert torch.isfinite(more["sum"])
    assert shape == [4]


def test_inputs_follow_the_seed_in_every_process_and_without_the_model() -> None:
    import torch

    whole, stripped = (task_files.load(RICH, "rich", with_model=flag) for flag in (True, False))
    assert not hasattr(stripped, "Model")
    assert hasattr(stripped, "Block")
    for seed in (1, 2):
        pairs = zip(task_files.inputs(whole, seed, "cpu"), task_files.inputs(stripped, seed, "cpu"), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)
    first, second = (task_files.inputs(stripped, seed, "cpu")[0] for seed in (1, 2))
    assert not torch.equal(first, second)


def test_weights_follow_the_seed() -> None:
    import torch

    file = task_files.load(RICH, "rich", with_model=True)
    init = task_files.init_inputs(file, "cpu")
    one, same, other = (task_files.model(file.Model, init, seed, "cpu").state_dict() for seed in (1, 1, 2))
    name = "blocks.0.inner.linear.weight"
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name], other[name])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def get_inputs(:", "cannot be run: SyntaxError"),
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("class Model: ...\ndef get_inputs(): ...", "has no get_init_inputs"),
        ("def get_inputs(): ...\ndef get_init_inputs(): ...", "has no Model"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_is_no_task_file_says_why(source: str, words: str) -> None:
    with pytest.raises(task_files.TaskFileError, match=words):
        task_files.load(source, "broken", with_model=True)
