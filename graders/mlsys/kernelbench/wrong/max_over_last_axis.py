# fails: max_over_middle   diagnosis: wrong-axis   over: per_task
"""Reduces the last axis."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, values_ptr, places_ptr, rows, columns, ROWS: tl.constexpr):
    line = tl.program_id(0)
    row = tl.arange(0, ROWS)
    x = tl.load(x_ptr + line * columns + row, mask=row < columns, other=-float("inf"))
    best, place = tl.max(x, axis=0, return_indices=True)
    tl.store(values_ptr + line, best)
    tl.store(places_ptr + line, place)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()

    def forward(self, x):
        batch, rows, columns = x.shape
        values = x.new_empty(batch, rows)
        places = torch.empty(batch, rows, dtype=torch.long, device=x.device)
        kernel[(batch * rows,)](x, values, places, rows, columns, ROWS=triton.next_power_of_2(columns))
        return values, places


def model_new(task):
    return ModelNew if task == "max_over_middle" else importlib.import_module(f"solutions.{task}").ModelNew
