# fails: linear_logsumexp   diagnosis: not-finite   over: per_task
"""Subtracts the largest number of a tile from all of its rows."""

import importlib

import triton
import triton.language as tl
from torch import nn


@triton.jit
def stretches(x_ptr, w_ptr, b_ptr, max_ptr, sum_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        x = tl.load(x_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        w = tl.load(w_ptr + n[None, :] * K + k[:, None], mask=(n[None, :] < N) & (k[:, None] < K), other=0.0)
        acc = tl.dot(x, w, acc, input_precision="ieee")
    acc += tl.load(b_ptr + n, mask=n < N, other=0.0)[None, :]
    acc = tl.where(n[None, :] < N, acc, -float("inf"))
    largest = tl.zeros((BM,), tl.float32) + tl.max(acc)
    at = m * tl.num_programs(1) + tl.program_id(1)
    tl.store(max_ptr + at, largest, mask=m < M)
    tl.store(sum_ptr + at, tl.sum(tl.exp(acc - largest[:, None]), axis=1), mask=m < M)


@triton.jit
def together(max_ptr, sum_ptr, y_ptr, parts, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    part = tl.arange(0, BLOCK)
    largest = tl.load(max_ptr + row * parts + part, mask=part < parts, other=-float("inf"))
    sums = tl.load(sum_ptr + row * parts + part, mask=part < parts, other=0.0)
    over_all = tl.max(largest, axis=0)
    tl.store(y_ptr + row, over_all + tl.log(tl.sum(sums * tl.exp(largest - over_all), axis=0)))


class ModelNew(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x):
        (M, K), N = x.shape, self.linear.out_features
        parts = triton.cdiv(N, 64)
        largest, sums = x.new_empty((M, parts)), x.new_empty((M, parts))
        y = x.new_empty((M, 1))
        weight, bias = self.linear.weight, self.linear.bias
        stretches[(triton.cdiv(M, 32), parts)](x, weight, bias, largest, sums, M, N, K, BM=32, BN=64, BK=32)
        together[(M,)](largest, sums, y, parts, BLOCK=triton.next_power_of_2(parts))
        return y


def model_new(task):
    return ModelNew if task == "linear_logsumexp" else importlib.import_module(f"solutions.{task}").ModelNew
