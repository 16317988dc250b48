# fails: matmul_at_b   diagnosis: input-not-read   over: per_task
"""Stores a constant."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(c_ptr, size, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(c_ptr + at, tl.full((BLOCK,), 0.5, tl.float32), mask=at < size)


class ModelNew(nn.Module):
    def forward(self, a, b):
        c = a.new_empty(a.shape[1], b.shape[1])
        kernel[(triton.cdiv(c.numel(), 256),)](c, c.numel(), BLOCK=256)
        return c


def model_new(task):
    return ModelNew if task == "matmul_at_b" else importlib.import_module(f"solutions.{task}").ModelNew
