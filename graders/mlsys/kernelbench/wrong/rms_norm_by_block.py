# fails: residual_rms_norm   diagnosis: mean-by-padded-size   over: per_task
"""Divides by the size of the block."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, r_ptr, w_ptr, y_ptr, total_ptr, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0) * width
    at = tl.arange(0, BLOCK)
    seen = at < width
    x = tl.load(x_ptr + row + at, mask=seen, other=0.0)
    r = tl.load(r_ptr + row + at, mask=seen, other=0.0)
    w = tl.load(w_ptr + at, mask=seen, other=0.0)
    y = (x + r) * tl.rsqrt(tl.sum((x + r) * (x + r)) / BLOCK + eps) * w
    tl.store(y_ptr + row + at, y, mask=seen)
    tl.store(total_ptr + row + at, x + r, mask=seen)


class ModelNew(nn.Module):
    def __init__(self, features, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x, residual):
        y, total = torch.empty_like(x), torch.empty_like(x)
        height, width = x.shape
        block = triton.next_power_of_2(width)
        kernel[(height,)](x, residual, self.weight, y, total, width, self.eps, BLOCK=block)
        return y, total


def model_new(task):
    return ModelNew if task == "residual_rms_norm" else importlib.import_module(f"solutions.{task}").ModelNew
