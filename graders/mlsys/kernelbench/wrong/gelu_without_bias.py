# fails: linear_bias_gelu   diagnosis: bias-missing   over: per_task
"""Does not add the bias."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, w_ptr, b_ptr, y_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(1) * BM + tl.arange(0, BM)
    n = tl.program_id(0) * BN + tl.arange(0, BN)
    bias = tl.load(b_ptr + n, mask=n < N, other=0.0)
    acc = tl.zeros((BM, BN), tl.float32) + 0.0 * bias[None, :]
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        x = tl.load(x_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        w = tl.load(w_ptr + n[:, None] * K + k[None, :], mask=(n[:, None] < N) & (k[None, :] < K), other=0.0)
        acc = tl.dot(x, tl.trans(w), acc, input_precision="ieee")
    half = 0.7071067811865476
    y = acc * (0.5 + 0.5 * tl.erf(acc * half))
    tl.store(y_ptr + m[:, None] * N + n[None, :], y, mask=(m[:, None] < M) & (n[None, :] < N))


class ModelNew(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x):
        (M, K), N = x.shape, self.linear.out_features
        y = torch.empty((M, N), dtype=x.dtype, device=x.device)
        grid = (triton.cdiv(N, 64), triton.cdiv(M, 32))
        kernel[grid](x, self.linear.weight, self.linear.bias, y, M, N, K, BM=32, BN=64, BK=32)
        return y


def model_new(task):
    return ModelNew if task == "linear_bias_gelu" else importlib.import_module(f"solutions.{task}").ModelNew
