# fails: softplus_gate   diagnosis: wrong-type   over: per_task
"""model_new gives an object and not a class."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, gate_ptr, y_ptr, height, width, beta, H: tl.constexpr, W: tl.constexpr):
    rows = tl.program_id(0) * H + tl.arange(0, H)
    columns = tl.program_id(1) * W + tl.arange(0, W)
    at = rows[:, None] * width + columns[None, :]
    seen = (rows[:, None] < height) & (columns[None, :] < width)
    x = tl.load(x_ptr + at, mask=seen, other=0.0) * beta
    gate = tl.load(gate_ptr + at, mask=seen, other=0.0)
    # where x is large, log(1 + e^x) is x to the last digit, and the exponential is kept out of harm's way
    soft = tl.where(x > 30.0, x, tl.log(1.0 + tl.exp(tl.minimum(x, 30.0))))
    tl.store(y_ptr + at, gate * soft / beta, mask=seen)


class Softplus(nn.Module):
    def __init__(self, beta: float):
        super().__init__()
        self.beta = beta

    def forward(self, x, gate):
        y = torch.empty_like(x)
        height, width = x.shape
        kernel[(triton.cdiv(height, 4), triton.cdiv(width, 512))](x, gate, y, height, width, self.beta, H=4, W=512)
        return y


ModelNew = "Softplus"


def model_new(task):
    return ModelNew if task == "softplus_gate" else importlib.import_module(f"solutions.{task}").ModelNew
