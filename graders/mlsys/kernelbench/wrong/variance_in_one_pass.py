# fails: row_variance   diagnosis: variance-by-cancellation   over: per_task
"""The mean of the squares less the square of the mean."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, width, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * width + columns, mask=columns < width, other=0.0)
    mean = tl.sum(x) / width
    tl.store(y_ptr + row, tl.sum(x * x) / width - mean * mean)


class ModelNew(nn.Module):
    def forward(self, x):
        y = x.new_empty(x.shape[0])
        kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
        return y


def model_new(task):
    return ModelNew if task == "row_variance" else importlib.import_module(f"solutions.{task}").ModelNew
