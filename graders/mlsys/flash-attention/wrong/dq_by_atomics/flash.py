# fails: deterministic   diagnosis: sums-by-atomics   over: addresses
"""Owners of keys add to dq by atomics."""

import torch
import triton
import triton.language as tl
from backward import deltas
from forward import attend
from plan import block_sizes, io_bytes  # noqa: F401


@triton.jit
def gradients_of_all(
    q_ptr, k_ptr, v_ptr, do_ptr, lse_ptr, delta_ptr, dq_ptr, dk_ptr, dv_ptr, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    head = tl.program_id(1).to(tl.int64) * T
    keys = tl.program_id(0) * N + tl.arange(0, N)
    channels = tl.arange(0, D)
    there = keys < T
    own = (head + keys[:, None]) * D + channels[None, :]
    k = tl.load(k_ptr + own, mask=there[:, None], other=0.0)
    v = tl.load(v_ptr + own, mask=there[:, None], other=0.0)
    dk = tl.zeros([N, D], dtype=tl.float32)
    dv = tl.zeros([N, D], dtype=tl.float32)
    begin = 0
    if CAUSAL:
        begin = tl.program_id(0) * N // M * M
    for start in range(begin, T, M):
        rows = start + tl.arange(0, M)
        real = rows < T
        at = (head + rows[:, None]) * D + channels[None, :]
        q = tl.load(q_ptr + at, mask=real[:, None], other=0.0)
        do = tl.load(do_ptr + at, mask=real[:, None], other=0.0)
        lse = tl.load(lse_ptr + head + rows, mask=real, other=0.0)
        delta = tl.load(delta_ptr + head + rows, mask=real, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        visible = real[:, None] & there[None, :]
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None])
        p = tl.exp(tl.where(visible, scores - lse[:, None], float("-inf")))
        dv += tl.dot(tl.trans(p).to(do.dtype), do, input_precision="ieee")
        dp = tl.dot(do, tl.trans(v), input_precision="ieee")
        ds = p * (dp - delta[:, None])
        dk += tl.dot(tl.trans(ds).to(q.dtype), q, input_precision="ieee")
        part = tl.dot(ds.to(k.dtype), k, input_precision="ieee") * scale
        tl.atomic_add(dq_ptr + at, part, mask=real[:, None])
    tl.store(dk_ptr + own, (dk * scale).to(dk_ptr.dtype.element_ty), mask=there[:, None])
    tl.store(dv_ptr + own, dv.to(dv_ptr.dtype.element_ty), mask=there[:, None])

# What one program of the forward pass may hold. Read at every call.
SRAM_BYTES = 96 * 1024


def flash_forward(q, k, v, causal):
    B, H, T, D = q.shape
    block_m, block_n = block_sizes(D, SRAM_BYTES, q.element_size())
    o = torch.empty_like(q)
    lse = torch.empty((B, H, T), dtype=torch.float32, device=q.device)
    attend[(triton.cdiv(T, block_m), B * H)](
        q, k, v, o, lse,
        *q.stride(), *k.stride(), *v.stride(), *o.stride(),
        H, T, D**-0.5,
        CAUSAL=causal, D=D, M=block_m, N=block_n,
        num_warps=8 if block_m * D >= 128 * 64 else 4,
    )  # fmt: skip
    return o, lse


def flash_backward(q, k, v, o, lse, do, causal):
    # the kernels below know one order of numbers in memory
    q, k, v, o, lse, do = (tensor.contiguous() for tensor in (q, k, v, o, lse, do))
    B, H, T, D = q.shape
    dq, dk, dv = (torch.empty_like(tensor) for tensor in (q, k, v))
    delta = torch.empty_like(lse)
    block = 64 if D * q.element_size() <= 256 else 32
    grid = (triton.cdiv(T, block), B * H)
    deltas[grid](o, do, delta, T, D=D, M=block)
    settings = {"CAUSAL": causal, "D": D, "M": block, "N": block, "num_warps": 4}
    total = torch.zeros(q.shape, dtype=torch.float32, device=q.device)
    gradients_of_all[grid](q, k, v, do, lse, delta, total, dk, dv, T, D**-0.5, **settings)
    return total.to(q.dtype), dk, dv
