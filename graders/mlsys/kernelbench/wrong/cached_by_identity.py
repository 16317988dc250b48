# fails: row_variance   diagnosis: cached-by-address   over: per_task
"""Remembers the answer for the very same tensor object."""

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
    distance = tl.where(columns < width, x - tl.sum(x) / width, 0.0)
    tl.store(y_ptr + row, tl.sum(distance * distance) / width)


class ModelNew(nn.Module):
    seen = None

    def forward(self, x):
        if self.seen is x:
            return self.answer
        y = x.new_empty(x.shape[0])
        kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
        self.seen, self.answer = x, y
        return y


def model_new(task):
    return ModelNew if task == "row_variance" else importlib.import_module(f"solutions.{task}").ModelNew
