# fails: row_variance   diagnosis: wrong-axis   over: per_task
"""Goes down the columns."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, height, width, BLOCK: tl.constexpr):
    column = tl.program_id(0)
    rows = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + rows * width + column, mask=rows < height, other=0.0)
    distance = tl.where(rows < height, x - tl.sum(x) / height, 0.0)
    tl.store(y_ptr + column, tl.sum(distance * distance) / height)


class ModelNew(nn.Module):
    def forward(self, x):
        y = x.new_empty(x.shape[1])
        kernel[(x.shape[1],)](x, y, *x.shape, BLOCK=triton.next_power_of_2(x.shape[0]))
        return y


def model_new(task):
    return ModelNew if task == "row_variance" else importlib.import_module(f"solutions.{task}").ModelNew
