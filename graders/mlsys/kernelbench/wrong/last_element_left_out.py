# fails: softplus_gate   diagnosis: part-never-stored   over: per_task
"""Rounds the number of programs up by one too few: an element alone in the last block is left out."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, gate_ptr, y_ptr, size, beta, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    seen = at < size
    x = tl.load(x_ptr + at, mask=seen, other=0.0) * beta
    soft = tl.maximum(x, 0.0) + tl.log(1.0 + tl.exp(-tl.abs(x)))
    tl.store(y_ptr + at, tl.load(gate_ptr + at, mask=seen, other=0.0) * soft / beta, mask=seen)


class ModelNew(nn.Module):
    def __init__(self, beta: float):
        super().__init__()
        self.beta = beta

    def forward(self, x, gate):
        y = torch.empty_like(x)
        size, block = x.numel(), 256
        kernel[((size + block - 2) // block,)](x, gate, y, size, self.beta, BLOCK=block)
        return y


def model_new(task):
    return ModelNew if task == "softplus_gate" else importlib.import_module(f"solutions.{task}").ModelNew
