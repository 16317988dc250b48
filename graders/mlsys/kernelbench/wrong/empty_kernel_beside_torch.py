# fails: matmul_at_b   diagnosis: torch-does-the-work   over: per_task
"""Launches a kernel that does nothing, and lets torch multiply."""

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
        kernel[(1,)](a, b)
        return torch.matmul(a.T, b)


def model_new(task):
    return ModelNew if task == "matmul_at_b" else importlib.import_module(f"solutions.{task}").ModelNew
