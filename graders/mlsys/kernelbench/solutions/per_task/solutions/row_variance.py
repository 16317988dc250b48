"""Welford's way, a block of columns at a time: mean and squared distances are merged as blocks arrive."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    count, mean, squares = 0.0, 0.0, 0.0
    for start in range(0, width, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        seen = columns < width
        x = tl.load(x_ptr + row * width + columns, mask=seen, other=0.0)
        n = tl.sum(seen.to(tl.float32), axis=0)
        block_mean = tl.sum(x, axis=0) / n
        distance = tl.where(seen, x - block_mean, 0.0)
        apart = block_mean - mean
        squares += tl.sum(distance * distance, axis=0) + apart * apart * count * n / (count + n)
        mean += apart * n / (count + n)
        count += n
    tl.store(y_ptr + row, squares / width)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[:-1], dtype=x.dtype, device=x.device)
        kernel[(y.numel(),)](x, y, x.shape[-1], BLOCK=1024)
        return y
