# fails: layer_norm   diagnosis: bias-twice   over: per_task
"""Adds the bias twice."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, w_ptr, b_ptr, y_ptr, height, width, eps, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    columns = tl.arange(0, BLOCK)[None, :]
    seen = (rows < height) & (columns < width)
    x = tl.load(x_ptr + rows * width + columns, mask=seen, other=0.0)
    mean = tl.sum(x, axis=1, keep_dims=True) / width
    x = tl.where(columns < width, x - mean, 0.0)
    variance = tl.sum(x * x, axis=1, keep_dims=True) / width
    w = tl.load(w_ptr + columns, mask=columns < width)
    b = tl.load(b_ptr + columns, mask=columns < width)
    tl.store(y_ptr + rows * width + columns, x * tl.rsqrt(variance + eps) * w + b + b, mask=seen)


class ModelNew(nn.Module):
    def __init__(self, features: int, eps: float):
        super().__init__()
        self.norm = nn.LayerNorm(features, eps=eps)

    def forward(self, x):
        rows = x.view(-1, x.shape[-1])
        y = torch.empty_like(rows)
        height, width = rows.shape
        block = triton.next_power_of_2(width)
        many = 4 if block <= 512 else 1
        kernel[(triton.cdiv(height, many),)](
            rows, self.norm.weight, self.norm.bias, y, height, width, self.norm.eps, ROWS=many, BLOCK=block, num_warps=8
        )
        return y.view(x.shape)


def model_new(task):
    return ModelNew if task == "layer_norm" else importlib.import_module(f"solutions.{task}").ModelNew
