# fails: matmul_at_b   diagnosis: remainder-dropped   over: per_task
"""Leaves the last number of k out, which shows where the last step holds one."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    a_ptrs = a_ptr + k[:, None] * M + m[None, :]
    b_ptrs = b_ptr + k[:, None] * N + n[None, :]
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K - 1, BK):
        left = k[:, None] < K - start
        a = tl.load(a_ptrs, mask=left & (m[None, :] < M), other=0.0)
        b = tl.load(b_ptrs, mask=left & (n[None, :] < N), other=0.0)
        acc += tl.dot(tl.trans(a), b, input_precision="ieee")
        a_ptrs += BK * M
        b_ptrs += BK * N
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))


class ModelNew(nn.Module):
    def forward(self, a, b):
        K, M = a.shape
        N = b.shape[1]
        c = torch.empty((M, N), dtype=a.dtype, device=a.device)
        kernel[(triton.cdiv(M, 64), triton.cdiv(N, 64))](a, b, c, M, N, K, BM=64, BN=64, BK=16)
        return c


def model_new(task):
    return ModelNew if task == "matmul_at_b" else importlib.import_module(f"solutions.{task}").ModelNew
