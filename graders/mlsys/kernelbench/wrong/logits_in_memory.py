# fails: fused_traffic   diagnosis: not-fused   over: per_task
"""Stores all logits and reduces them in a second kernel."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def multiply(x_ptr, w_ptr, b_ptr, logits_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        x = tl.load(x_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        w = tl.load(w_ptr + n[None, :] * K + k[:, None], mask=(n[None, :] < N) & (k[:, None] < K), other=0.0)
        acc = tl.dot(x, w, acc, input_precision="ieee")
    acc += tl.load(b_ptr + n, mask=n < N, other=0.0)[None, :]
    tl.store(logits_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def reduce(logits_ptr, y_ptr, N, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    n = tl.arange(0, BLOCK)
    logits = tl.load(logits_ptr + row * N + n, mask=n < N, other=-float("inf"))
    largest = tl.max(logits)
    tl.store(y_ptr + row, largest + tl.log(tl.sum(tl.exp(logits - largest))))


class ModelNew(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x):
        (M, K), N = x.shape, self.linear.out_features
        logits = x.new_empty((M, N))
        y = x.new_empty((M, 1))
        weight, bias = self.linear.weight, self.linear.bias
        multiply[(triton.cdiv(M, 32), triton.cdiv(N, 64))](x, weight, bias, logits, M, N, K, BM=32, BN=64, BK=32)
        reduce[(M,)](logits, y, N, BLOCK=triton.next_power_of_2(N))
        return y


def model_new(task):
    return ModelNew if task == "linear_logsumexp" else importlib.import_module(f"solutions.{task}").ModelNew
