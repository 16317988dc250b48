"""Block pointers, powers of two, and two loops: the blocks below the diagonal need no mask."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import triton
import triton.language as tl


@triton.jit
def take_in(acc, total, m, q, k_blocks, v_blocks, start, stop, rows, T, factor, MASK: tl.constexpr, N: tl.constexpr):
    """Take in the blocks of keys from start to stop; MASK is "" or "causal" or "end"."""
    k_blocks = tl.advance(k_blocks, (0, start))
    v_blocks = tl.advance(v_blocks, (start, 0))
    for at in range(start, stop, N):
        s = tl.dot(q, tl.load(k_blocks, boundary_check=(1,), padding_option="zero"), input_precision="ieee") * factor
        keys = at + tl.arange(0, N)
        if MASK == "causal":
            s = tl.where(keys[None, :] <= rows[:, None], s, float("-inf"))
        if MASK == "end":
            s = tl.where((keys < T)[None, :], s, float("-inf"))
        m_next = tl.maximum(m, tl.max(s, 1))
        p = tl.exp2(s - m_next[:, None])
        alpha = tl.exp2(m - m_next)
        total = total * alpha + tl.sum(p, 1)
        v = tl.load(v_blocks, boundary_check=(0,), padding_option="zero")
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None], input_precision="ieee")
        m = m_next
        k_blocks = tl.advance(k_blocks, (0, N))
        v_blocks = tl.advance(v_blocks, (N, 0))
    return acc, total, m


@triton.jit
def flash_kernel(
    Q, K, V, Out,
    qz, qh, qt, qd, kz, kh, kt, kd, vz, vh, vt, vd, oz, oh, ot, od,
    H, T, factor,
    CAUSAL: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    first = tl.program_id(1) * M
    z, h = (tl.program_id(0) // H).to(tl.int64), (tl.program_id(0) % H).to(tl.int64)
    q_block = tl.make_block_ptr(Q + z * qz + h * qh, (T, D), (qt, qd), (first, 0), (M, D), (1, 0))
    k_blocks = tl.make_block_ptr(K + z * kz + h * kh, (D, T), (kd, kt), (0, 0), (D, N), (0, 1))
    v_blocks = tl.make_block_ptr(V + z * vz + h * vh, (T, D), (vt, vd), (0, 0), (N, D), (1, 0))
    o_block = tl.make_block_ptr(Out + z * oz + h * oh, (T, D), (ot, od), (first, 0), (M, D), (1, 0))

    q = tl.load(q_block, boundary_check=(0,), padding_option="zero")
    rows = first + tl.arange(0, M)
    acc = tl.zeros([M, D], tl.float32)
    total = tl.zeros([M], tl.float32)
    m = tl.zeros([M], tl.float32) - float("inf")
    if CAUSAL:
        # M is a multiple of N: whole blocks up to the diagonal, then those that it cuts
        acc, total, m = take_in(acc, total, m, q, k_blocks, v_blocks, 0, first, rows, T, factor, "", N)
        stop = tl.minimum(first + M, T)
        acc, total, m = take_in(acc, total, m, q, k_blocks, v_blocks, first, stop, rows, T, factor, "causal", N)
    else:
        whole = T // N * N
        acc, total, m = take_in(acc, total, m, q, k_blocks, v_blocks, 0, whole, rows, T, factor, "", N)
        acc, total, m = take_in(acc, total, m, q, k_blocks, v_blocks, whole, T, rows, T, factor, "end", N)
    tl.store(o_block, (acc / total[:, None]).to(Out.dtype.element_ty), boundary_check=(0,))


@dataclass(frozen=True)
class Plan:
    """How the work of one call is cut."""

    batch_heads: int
    length: int
    m: int = 32
    n: int = 32

    @property
    def grid(self) -> tuple[int, int]:
        return self.batch_heads, triton.cdiv(self.length, self.m)


def flash_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = True) -> torch.Tensor:
    b, h, t, d = q.shape
    plan = Plan(b * h, t)
    o = torch.empty(b, h, t, d, dtype=q.dtype, device=q.device)
    strides = [stride for tensor in (q, k, v, o) for stride in tensor.stride()]
    factor = math.log2(math.e) / math.sqrt(d)
    flash_kernel[plan.grid](q, k, v, o, *strides, h, t, factor, CAUSAL=causal, D=d, M=plan.m, N=plan.n)
    return o


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    b, t, c = x.shape
    q, k, v = (
        part.unflatten(-1, (n_heads, c // n_heads)).transpose(1, 2)
        for part in torch.addmm(b_qkv, x.reshape(-1, c), w_qkv).view(b, t, 3 * c).chunk(3, dim=-1)
    )
    return flash_attention(q, k, v).transpose(1, 2).flatten(2) @ w_out + b_out
