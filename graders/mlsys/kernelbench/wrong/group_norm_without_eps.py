# fails: group_norm   diagnosis: eps-missing   over: per_task
"""Forgets eps."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, w_ptr, b_ptr, y_ptr, groups, channels, positions, eps, BLOCK: tl.constexpr):
    item, group = tl.program_id(0), tl.program_id(1)
    size = channels * positions
    start = (item * groups + group).to(tl.int64) * size
    total = tl.zeros((BLOCK,), tl.float32)
    for at in range(0, size, BLOCK):
        offsets = at + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + start + offsets, mask=offsets < size, other=0.0)
    mean = tl.sum(total, axis=0) / size
    total = tl.zeros((BLOCK,), tl.float32)
    for at in range(0, size, BLOCK):
        offsets = at + tl.arange(0, BLOCK)
        # what lies beyond the end is loaded as the mean, and so at no distance from it
        distance = tl.load(x_ptr + start + offsets, mask=offsets < size, other=mean) - mean
        total += distance * distance
    scale = 1.0 / tl.sqrt(tl.sum(total, axis=0) / size)
    for channel in range(channels):
        w = tl.load(w_ptr + group * channels + channel) * scale
        b = tl.load(b_ptr + group * channels + channel) - mean * w
        for at in range(0, positions, BLOCK):
            offsets = at + tl.arange(0, BLOCK)
            seen = offsets < positions
            here = start + channel * positions + offsets
            tl.store(y_ptr + here, tl.load(x_ptr + here, mask=seen) * w + b, mask=seen)


class ModelNew(nn.Module):
    def __init__(self, groups: int, channels: int, eps: float):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=eps)

    def forward(self, x):
        batch, channels, positions = x.shape
        groups = self.norm.num_groups
        y = torch.empty_like(x)
        kernel[(batch, groups)](
            x, self.norm.weight, self.norm.bias, y, groups, channels // groups, positions, self.norm.eps, BLOCK=1024
        )
        return y


def model_new(task):
    return ModelNew if task == "group_norm" else importlib.import_module(f"solutions.{task}").ModelNew
