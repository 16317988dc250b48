# fails: max_over_middle   diagnosis: part-never-stored   over: per_task
"""Has one block for the columns of an item, however many there are."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, values_ptr, places_ptr, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    item = tl.program_id(0)
    column = tl.arange(0, COLUMNS)
    mine = column < columns
    best = tl.full((COLUMNS,), -float("inf"), tl.float32)
    place = tl.zeros((COLUMNS,), tl.int32)
    for start in range(0, rows, ROWS):
        row = start + tl.arange(0, ROWS)
        at = (item * rows + row[:, None]) * columns + column[None, :]
        tile = tl.load(x_ptr + at, mask=(row[:, None] < rows) & mine[None, :], other=-float("inf"))
        value = tl.max(tile, axis=0)
        # the first row of the tile that holds the value
        here = tl.min(tl.where(tile == value[None, :], row[:, None], rows), axis=0)
        place = tl.where(value > best, here, place)
        best = tl.maximum(best, value)
    tl.store(values_ptr + item * columns + column, best, mask=mine)
    tl.store(places_ptr + item * columns + column, place.to(tl.int64), mask=mine)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        assert dim == 1

    def forward(self, x):
        batch, rows, columns = x.shape
        values = torch.empty((batch, columns), dtype=x.dtype, device=x.device)
        places = torch.empty((batch, columns), dtype=torch.long, device=x.device)
        kernel[(batch,)](x, values, places, rows, columns, ROWS=64, COLUMNS=64)
        return [values, places]


def model_new(task):
    return ModelNew if task == "max_over_middle" else importlib.import_module(f"solutions.{task}").ModelNew
