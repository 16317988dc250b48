# fails: batched_matmul_bt   diagnosis: batch-index-forgotten   over: per_task
"""The second matrix is always the first item's."""

import importlib

import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    across, down = tl.cdiv(N, BN), tl.cdiv(M, BM)
    item = tl.program_id(0) // (across * down)
    tile = tl.program_id(0) % (across * down)
    # indices beyond the edge wrap round to where there is something to load; only the store has to know better
    m = (tile // across * BM + tl.arange(0, BM)) % M
    n = (tile % across * BN + tl.arange(0, BN)) % N
    k = tl.arange(0, BK)
    a_ptrs = a_ptr + item * M * K + m[:, None] * K + k[None, :]
    b_ptrs = b_ptr + k[:, None] + n[None, :] * K
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for done in range(0, K, BK):
        a = tl.load(a_ptrs, mask=k[None, :] < K - done, other=0.0)
        b = tl.load(b_ptrs, mask=k[:, None] < K - done, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
        a_ptrs += BK
        b_ptrs += BK
    m = tile // across * BM + tl.arange(0, BM)
    n = tile % across * BN + tl.arange(0, BN)
    tl.store(c_ptr + item * M * N + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))


class ModelNew(nn.Module):
    def forward(self, a, b):
        batch, M, K = a.shape
        N = b.shape[1]
        c = a.new_empty((batch, M, N))
        grid = (batch * triton.cdiv(M, 32) * triton.cdiv(N, 32),)
        kernel[grid](a, b, c, M, N, K, BM=32, BN=32, BK=32)
        return c


def model_new(task):
    return ModelNew if task == "batched_matmul_bt" else importlib.import_module(f"solutions.{task}").ModelNew
