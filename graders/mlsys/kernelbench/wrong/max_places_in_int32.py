# fails: max_over_middle   diagnosis: wrong-dtype   over: per_task
"""Returns the places as int32."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, values_ptr, places_ptr, rows, columns, ROWS: tl.constexpr):
    item, column = tl.program_id(0), tl.program_id(1)
    row = tl.arange(0, ROWS)
    x = tl.load(x_ptr + (item * rows + row) * columns + column, mask=row < rows, other=-float("inf"))
    best, place = tl.max(x, axis=0, return_indices=True)
    tl.store(values_ptr + item * columns + column, best)
    tl.store(places_ptr + item * columns + column, place)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()

    def forward(self, x):
        batch, rows, columns = x.shape
        values = x.new_empty(batch, columns)
        places = torch.empty(batch, columns, dtype=torch.int32, device=x.device)
        kernel[(batch, columns)](x, values, places, rows, columns, ROWS=triton.next_power_of_2(rows))
        return values, places


def model_new(task):
    return ModelNew if task == "max_over_middle" else importlib.import_module(f"solutions.{task}").ModelNew
