# fails: log_softmax_channels   diagnosis: wrong-axis   over: per_task
"""Normalises over the positions."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, channels, positions, BLOCK: tl.constexpr):
    line = tl.program_id(0)
    channel = tl.arange(0, BLOCK)
    at = line * positions + channel
    x = tl.load(x_ptr + at, mask=channel < positions, other=-float("inf"))
    x = x - tl.max(x)
    y = x - tl.log(tl.sum(tl.exp(x)))
    tl.store(y_ptr + at, y, mask=channel < positions)


class ModelNew(nn.Module):
    def forward(self, x):
        batch, channels, positions = x.shape
        y = torch.empty_like(x)
        kernel[(batch * channels,)](x, y, channels, positions, BLOCK=triton.next_power_of_2(positions))
        return y


def model_new(task):
    return ModelNew if task == "log_softmax_channels" else importlib.import_module(f"solutions.{task}").ModelNew
