# fails: swiglu   diagnosis: part-never-stored   over: per_task
"""Launches as many programs for the rows as there are blocks of outputs, and the other way round."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def silu(x):
    # of the two ways to write a sigmoid, each is used where its exponential is below 1
    small = tl.exp(-tl.abs(x))
    return x * tl.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


@triton.jit
def kernel(x_ptr, gate_ptr, up_ptr, y_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = (tl.program_id(0) * BM + tl.arange(0, BM))[:, None]
    n = (tl.program_id(1) * BN + tl.arange(0, BN))[None, :]
    gate = tl.zeros((BM, BN), tl.float32)
    up = tl.zeros((BM, BN), tl.float32)
    for step in range(tl.cdiv(K, BK)):
        k = step * BK + tl.arange(0, BK)
        x = tl.load(x_ptr + m * K + k[None, :], mask=(m < M) & (k[None, :] < K), other=0.0)
        seen = (n < N) & (k[:, None] < K)
        gate += tl.dot(x, tl.load(gate_ptr + n * K + k[:, None], mask=seen, other=0.0), input_precision="ieee")
        up += tl.dot(x, tl.load(up_ptr + n * K + k[:, None], mask=seen, other=0.0), input_precision="ieee")
    tl.store(y_ptr + m * N + n, silu(gate) * up, mask=(m < M) & (n < N))


class ModelNew(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.gate = nn.Linear(in_features, out_features, bias=False)
        self.up = nn.Linear(in_features, out_features, bias=False)

    def forward(self, x):
        (M, K), (N, _) = x.shape, self.gate.weight.shape
        y = torch.zeros((M, N), device=x.device)
        kernel[(triton.cdiv(N, 64), triton.cdiv(M, 64))](
            x, self.gate.weight, self.up.weight, y, M, N, K, BM=64, BN=64, BK=32
        )
        return y


def model_new(task):
    return ModelNew if task == "swiglu" else importlib.import_module(f"solutions.{task}").ModelNew
