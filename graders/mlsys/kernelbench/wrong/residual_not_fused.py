# fails: fused_traffic   diagnosis: not-fused   over: per_task
"""Stores the sum and loads it again in a second kernel."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def add(x_ptr, r_ptr, total_ptr, size, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.load(x_ptr + at, mask=at < size) + tl.load(r_ptr + at, mask=at < size)
    tl.store(total_ptr + at, total, mask=at < size)


@triton.jit
def normalise(total_ptr, w_ptr, y_ptr, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0) * width
    at = tl.arange(0, BLOCK)
    total = tl.load(total_ptr + row + at, mask=at < width, other=0.0)
    scale = tl.rsqrt(tl.sum(total * total) / width + eps)
    tl.store(y_ptr + row + at, total * scale * tl.load(w_ptr + at, mask=at < width), mask=at < width)


class ModelNew(nn.Module):
    def __init__(self, features, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x, residual):
        y, total = torch.empty_like(x), torch.empty_like(x)
        height, width = x.shape
        add[(triton.cdiv(x.numel(), 1024),)](x, residual, total, x.numel(), BLOCK=1024)
        block = triton.next_power_of_2(width)
        normalise[(height,)](total, self.weight, y, width, self.eps, BLOCK=block)
        return y, total


def model_new(task):
    return ModelNew if task == "residual_rms_norm" else importlib.import_module(f"solutions.{task}").ModelNew
