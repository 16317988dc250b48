"""Two kernels: programs share the keys of a row between them, then a second kernel joins what they found.

This is how long rows are cut when there are too few queries to fill a device.
"""

import torch
import triton
import triton.language as tl

SHARES = 2


@triton.jit
def one_share(
    Q, K, V, PART, TOP, SUM, stride_q, stride_k, stride_v, H, T, scale,
    SHARES: tl.constexpr, CAUSAL: tl.constexpr, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    i, share, bh = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    b, h = bh // H, bh % H
    d = tl.arange(0, D)
    t = i * BM + tl.arange(0, BM)
    q = tl.load(Q + b * stride_q[0] + h * stride_q[1] + t[:, None] * stride_q[2] + d * stride_q[3], t[:, None] < T, 0.0)

    limit = tl.minimum(T, (i + 1) * BM) if CAUSAL else T
    blocks = tl.cdiv(limit, BN)
    start = blocks * share // SHARES
    stop = blocks * (share + 1) // SHARES

    m = tl.full([BM], float("-inf"), tl.float32)
    den = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, D], tl.float32)
    for block in range(start, stop):
        s = block * BN + tl.arange(0, BN)
        inside = (s < T)[:, None]
        k = tl.load(K + b * stride_k[0] + h * stride_k[1] + s[:, None] * stride_k[2] + d * stride_k[3], inside, 0.0)
        v = tl.load(V + b * stride_v[0] + h * stride_v[1] + s[:, None] * stride_v[2] + d * stride_v[3], inside, 0.0)
        x = scale * tl.dot(q, k.T, input_precision="ieee")
        x = tl.where((s < T)[None, :] & ((s[None, :] <= t[:, None]) | (not CAUSAL)), x, float("-inf"))
        new = tl.maximum(m, tl.max(x, 1))
        # a row may see nothing of this share: its maximum is still -inf, and must not be subtracted from itself
        safe = tl.where(new == float("-inf"), 0.0, new)
        p = tl.exp(x - safe[:, None])
        old = tl.exp(m - safe)
        den = den * old + tl.sum(p, 1)
        acc = acc * old[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
        m = new
    at = (bh * SHARES + share) * T + t
    tl.store(TOP + at, m, t < T)
    tl.store(SUM + at, den, t < T)
    tl.store(PART + at[:, None] * D + d, acc, t[:, None] < T)


@triton.jit
def join(PART, TOP, SUM, OUT, stride_o, H, T, SHARES: tl.constexpr, D: tl.constexpr, BM: tl.constexpr):
    i, bh = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, D)
    t = i * BM + tl.arange(0, BM)
    top = tl.full([BM], float("-inf"), tl.float32)
    for share in range(SHARES):
        top = tl.maximum(top, tl.load(TOP + (bh * SHARES + share) * T + t, t < T, 0.0))
    total = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, D], tl.float32)
    for share in range(SHARES):
        at = (bh * SHARES + share) * T + t
        weight = tl.exp(tl.load(TOP + at, t < T, 0.0) - top)
        total += weight * tl.load(SUM + at, t < T, 1.0)
        acc += weight[:, None] * tl.load(PART + at[:, None] * D + d, t[:, None] < T, 0.0)
    here = OUT + bh // H * stride_o[0] + bh % H * stride_o[1] + t[:, None] * stride_o[2] + d * stride_o[3]
    tl.store(here, (acc / total[:, None]).to(OUT.dtype.element_ty), t[:, None] < T)


def flash_attention(q, k, v, causal=True):
    B, H, T, D = q.shape
    # (B, T, H, D) in memory, so that the heads of a position lie side by side
    o = q.new_empty(B, T, H, D).transpose(1, 2)
    part = q.new_empty((B * H, SHARES, T, D), dtype=torch.float32)
    top = q.new_empty((B * H, SHARES, T), dtype=torch.float32)
    total = torch.empty_like(top)
    block = 64 if D < 128 else 32
    grid = triton.cdiv(T, block), SHARES, B * H
    one_share[grid](
        q, k, v, part, top, total, q.stride(), k.stride(), v.stride(), H, T, D**-0.5,
        SHARES=SHARES, CAUSAL=causal, D=D, BM=block, BN=block,
    )  # fmt: skip
    join[(grid[0], B * H)](part, top, total, o, o.stride(), H, T, SHARES=SHARES, D=D, BM=block)
    return o


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    B, T, C = x.shape
    w_q, w_k, w_v = w_qkv.split(C, dim=1)
    b_q, b_k, b_v = b_qkv.split(C)

    def heads(w, b):
        return torch.nn.functional.linear(x, w.T, b).view(B, T, n_heads, C // n_heads).transpose(1, 2)

    o = flash_attention(heads(w_q, b_q), heads(w_k, b_k), heads(w_v, b_v), causal=True)
    return torch.nn.functional.linear(o.transpose(1, 2).reshape(B, T, C), w_out.T, b_out)
