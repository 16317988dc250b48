# fails: log_softmax_channels   diagnosis: not-finite   over: per_task
"""Subtracts a bound that is far above most rows, and loses their sums."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, channels, positions, BLOCK: tl.constexpr):
    item, position = tl.program_id(0), tl.program_id(1)
    channel = tl.arange(0, BLOCK)
    at = (item * channels + channel) * positions + position
    x = tl.load(x_ptr + at, mask=channel < channels, other=-float("inf"))
    x = x - 1000.0
    y = x - tl.log(tl.sum(tl.exp(x)))
    tl.store(y_ptr + at, y, mask=channel < channels)


class ModelNew(nn.Module):
    def forward(self, x):
        batch, channels, positions = x.shape
        y = torch.empty_like(x)
        kernel[(batch, positions)](x, y, channels, positions, BLOCK=triton.next_power_of_2(channels))
        return y


def model_new(task):
    return ModelNew if task == "log_softmax_channels" else importlib.import_module(f"solutions.{task}").ModelNew
