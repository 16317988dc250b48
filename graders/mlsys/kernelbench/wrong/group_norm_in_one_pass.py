# fails: group_norm   diagnosis: variance-by-cancellation   over: per_task
"""The mean of the squares less the square of the mean."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, w_ptr, b_ptr, y_ptr, groups, channels, positions, eps, BLOCK: tl.constexpr):
    item, group = tl.program_id(0), tl.program_id(1)
    size = channels * positions
    at = tl.arange(0, BLOCK)
    here = (item * groups + group) * size + at
    x = tl.load(x_ptr + here, mask=at < size, other=0.0)
    mean = tl.sum(x) / size
    x = (x - mean) * tl.rsqrt(tl.sum(x * x) / size - mean * mean + eps)
    channel = group * channels + at // positions
    w = tl.load(w_ptr + channel, mask=at < size)
    b = tl.load(b_ptr + channel, mask=at < size)
    tl.store(y_ptr + here, x * w + b, mask=at < size)


class ModelNew(nn.Module):
    def __init__(self, groups, channels, eps):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=eps)

    def forward(self, x):
        batch, channels, positions = x.shape
        groups, weight, bias, eps = self.norm.num_groups, self.norm.weight, self.norm.bias, self.norm.eps
        block = triton.next_power_of_2(x[0].numel() // groups)
        y = torch.empty_like(x)
        kernel[(batch, groups)](x, weight, bias, y, groups, channels // groups, positions, eps, BLOCK=block)
        return y


def model_new(task):
    return ModelNew if task == "group_norm" else importlib.import_module(f"solutions.{task}").ModelNew
