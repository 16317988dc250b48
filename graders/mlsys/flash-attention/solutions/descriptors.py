"""Tensor descriptors, powers of two, and one backward kernel whose programs own rows of all three gradients."""

import torch
import triton
import triton.language as tl

SRAM_BYTES = 112 * 1024
LOG2_E = 1.4426950408889634


@triton.jit
def _rows(ptr, skip, T, D: tl.constexpr, N: tl.constexpr):
    return tl.make_tensor_descriptor(ptr + skip * D, shape=[T, D], strides=[D, 1], block_shape=[N, D])


@triton.jit
def _dot(a, b):
    return tl.dot(a, b, input_precision="ieee").to(tl.float32)


@triton.jit
def _forward(
    q_ptr,
    k_ptr,
    v_ptr,
    o_ptr,
    lse_ptr,
    T,
    scale,
    CAUSAL: tl.constexpr,
    D: tl.constexpr,
    M: tl.constexpr,
    N: tl.constexpr,
):
    i = tl.program_id(1)
    skip = tl.program_id(0).to(tl.int64) * T
    q_rows, o_rows = _rows(q_ptr, skip, T, D, M), _rows(o_ptr, skip, T, D, M)
    k_rows, v_rows = _rows(k_ptr, skip, T, D, N), _rows(v_ptr, skip, T, D, N)
    q = q_rows.load([i * M, 0])
    query = i * M + tl.arange(0, M)
    high = tl.full((M,), -1e30, tl.float32)  # finite: no difference of infinities anywhere
    sums = tl.zeros((M,), tl.float32)
    out = tl.zeros((M, D), tl.float32)
    j = 0
    last = tl.minimum(T, i * M + M) if CAUSAL else T
    while j < last:
        key = j + tl.arange(0, N)[None, :]
        logits = _dot(q, tl.trans(k_rows.load([j, 0]))) * scale  # in units of ln 2
        allowed = (key < T) & (key <= query[:, None]) if CAUSAL else key < T
        logits = tl.where(allowed, logits, -float("inf"))
        before = high
        high = tl.maximum(before, tl.max(logits, axis=1))
        weights = tl.exp2(logits - high[:, None])
        correction = tl.exp2(before - high)
        sums = correction * sums + tl.sum(weights, axis=1)
        out *= correction[:, None]
        out += _dot(weights.to(q.dtype), v_rows.load([j, 0]))
        j += N
    o_rows.store([i * M, 0], (out / sums[:, None]).to(q.dtype))
    tl.store(lse_ptr + skip + query, (high + tl.log2(sums)) / 1.4426950408889634, mask=query < T)


@triton.jit
def _backward(
    q_ptr, k_ptr, v_ptr, do_ptr, lse_ptr, delta_ptr, dq_ptr, dk_ptr, dv_ptr, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    i = tl.program_id(1)
    skip = tl.program_id(0).to(tl.int64) * T
    q_rows, k_rows = _rows(q_ptr, skip, T, D, N), _rows(k_ptr, skip, T, D, N)
    v_rows, do_rows = _rows(v_ptr, skip, T, D, N), _rows(do_ptr, skip, T, D, N)
    own = i * N + tl.arange(0, N)
    mine = own < T

    # first as an owner of keys: scores lie transposed, keys down and queries across
    k, v = k_rows.load([i * N, 0]), v_rows.load([i * N, 0])
    dk, dv = tl.zeros((N, D), tl.float32), tl.zeros((N, D), tl.float32)
    j = i * N if CAUSAL else 0
    while j < T:
        query = j + tl.arange(0, N)
        q, do = q_rows.load([j, 0]), do_rows.load([j, 0])
        lse = tl.load(lse_ptr + skip + query, mask=query < T, other=float("inf"))
        delta = tl.load(delta_ptr + skip + query, mask=query < T, other=0.0)
        p = tl.exp2((_dot(k, tl.trans(q)) * scale - lse[None, :]) * 1.4426950408889634)
        if CAUSAL:
            p = tl.where(query[None, :] >= own[:, None], p, 0.0)
        dv += _dot(p.to(do.dtype), do)
        ds = p * (_dot(v, tl.trans(do)) - delta[None, :]) * scale
        dk += _dot(ds.to(q.dtype), q)
        j += N
    _rows(dk_ptr, skip, T, D, N).store([i * N, 0], dk.to(dk_ptr.dtype.element_ty))
    _rows(dv_ptr, skip, T, D, N).store([i * N, 0], dv.to(dv_ptr.dtype.element_ty))

    # then as an owner of queries
    q, do = q_rows.load([i * N, 0]), do_rows.load([i * N, 0])
    lse = tl.load(lse_ptr + skip + own, mask=mine, other=float("inf"))[:, None]
    delta = tl.load(delta_ptr + skip + own, mask=mine, other=0.0)[:, None]
    dq = tl.zeros((N, D), tl.float32)
    j = 0
    last = tl.minimum(T, i * N + N) if CAUSAL else T
    while j < last:
        key = j + tl.arange(0, N)[None, :]
        k, v = k_rows.load([j, 0]), v_rows.load([j, 0])
        p = tl.exp2((_dot(q, tl.trans(k)) * scale - lse) * 1.4426950408889634)
        # keys beyond the end are zeros, but exp2(-lse) may be infinite, and 0 · ∞ is no number
        allowed = (key < T) & (key <= own[:, None]) if CAUSAL else key < T
        p = tl.where(allowed, p, 0.0)
        ds = p * (_dot(do, tl.trans(v)) - delta) * scale
        dq += _dot(ds.to(k.dtype), k)
        j += N
    _rows(dq_ptr, skip, T, D, N).store([i * N, 0], dq.to(dq_ptr.dtype.element_ty))


def _prepare(*tensors):
    if tensors[0].is_cuda:  # a descriptor that is made inside a kernel needs memory for itself
        device = tensors[0].device
        triton.set_allocator(lambda size, alignment, stream: torch.empty(size, dtype=torch.int8, device=device))
    return [tensor.contiguous() for tensor in tensors]


def flash_forward(q, k, v, causal):
    q, k, v = _prepare(q, k, v)
    B, H, T, D = q.shape
    M, N = block_sizes(D, SRAM_BYTES, q.element_size())
    o, lse = torch.zeros_like(q), q.new_zeros((B, H, T), dtype=torch.float32)
    _forward[(B * H, triton.cdiv(T, M))](q, k, v, o, lse, T, LOG2_E * D**-0.5, causal, D, M, N)
    return o, lse


def flash_backward(q, k, v, o, lse, do, causal):
    q, k, v, lse, do = _prepare(q, k, v, lse, do)
    B, H, T, D = q.shape
    delta = (o.float() * do.float()).sum(dim=-1).contiguous()
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    N = 32 if D * q.element_size() > 128 else 64
    _backward[(B * H, triton.cdiv(T, N))](q, k, v, do, lse, delta, dq, dk, dv, T, D**-0.5, causal, D, N)
    return dq, dk, dv


def block_sizes(head_dim, sram_bytes, bytes_per_element):
    """All pairs that fit, the most queries first, then the most keys."""
    sizes = (16, 32, 64, 128)
    pairs = [(m, n) for m in sizes for n in sizes[:3] if _bytes(m, n, head_dim, bytes_per_element) <= sram_bytes]
    return max(pairs)


def _bytes(m, n, d, e):
    return d * e * (m + 2 * n) + 4 * m * (d + n)


def io_bytes(T, head_dim, block_m, block_n, bytes_per_element, causal):
    programs = -(-T // block_m)
    if causal:
        # program i stops with the block of keys that holds its last query
        rows = sum(min(T, -(-min(T, (i + 1) * block_m) // block_n) * block_n) for i in range(programs))
    else:
        rows = programs * T
    return bytes_per_element * head_dim * (2 * T + 2 * rows) + 4 * T
