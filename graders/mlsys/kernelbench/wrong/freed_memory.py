# fails: matmul_at_b   diagnosis: output-not-stored   over: per_task
"""Hopes that fresh memory still holds somebody's answer."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(a_ptr, b_ptr):
    pass


class ModelNew(nn.Module):
    def forward(self, a, b):
        c = torch.empty(a.shape[1], b.shape[1])
        kernel[(1,)](a, b)
        return c


def model_new(task):
    return ModelNew if task == "matmul_at_b" else importlib.import_module(f"solutions.{task}").ModelNew
