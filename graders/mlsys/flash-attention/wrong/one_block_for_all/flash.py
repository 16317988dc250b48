# fails: traffic_law   diagnosis: block-grows-with-length   over: addresses
"""One program takes all queries of a long sequence, whatever SRAM_BYTES says."""

import torch
import triton
from backward import deltas, gradients_of_keys, gradients_of_queries
from forward import attend
from plan import block_sizes, io_bytes  # noqa: F401

# What one program of the forward pass may hold. Read at every call.
SRAM_BYTES = 96 * 1024


def flash_forward(q, k, v, causal):
    B, H, T, D = q.shape
    block_m, block_n = block_sizes(D, SRAM_BYTES, q.element_size())
    if T > 256:
        block_m = triton.next_power_of_2(T)
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
    gradients_of_keys[grid](q, k, v, do, lse, delta, dk, dv, T, D**-0.5, **settings)
    gradients_of_queries[grid](q, k, v, do, lse, delta, dq, T, D**-0.5, **settings)
    return dq, dk, dv
