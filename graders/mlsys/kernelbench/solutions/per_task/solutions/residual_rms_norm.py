"""The row is read in pieces, and read again for the answer."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, r_ptr, w_ptr, y_ptr, total_ptr, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * width
    square = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, width, BLOCK):
        at = start + tl.arange(0, BLOCK)
        seen = at < width
        total = tl.load(x_ptr + row + at, mask=seen, other=0.0) + tl.load(r_ptr + row + at, mask=seen, other=0.0)
        square += total * total
    scale = tl.rsqrt(tl.sum(square, axis=0) / width + eps)
    for start in range(0, width, BLOCK):
        at = start + tl.arange(0, BLOCK)
        seen = at < width
        total = tl.load(x_ptr + row + at, mask=seen, other=0.0) + tl.load(r_ptr + row + at, mask=seen, other=0.0)
        tl.store(total_ptr + row + at, total, mask=seen)
        tl.store(y_ptr + row + at, total * scale * tl.load(w_ptr + at, mask=seen, other=0.0), mask=seen)


class ModelNew(nn.Module):
    def __init__(self, features: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x, residual):
        both = x.new_empty((2, *x.shape))
        y, total = both[0], both[1]
        kernel[(x.shape[0],)](x, residual, self.weight, y, total, x.shape[1], self.eps, BLOCK=1024)
        return y, total
