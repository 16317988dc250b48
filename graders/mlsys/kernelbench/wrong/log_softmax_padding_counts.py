# fails: log_softmax_channels   diagnosis: padding-counts   over: per_task
"""The padded lanes hold 0, and count as exp(0)."""

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
    x = tl.load(x_ptr + at, mask=channel < channels, other=0.0)
    x = x - tl.max(x)
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
