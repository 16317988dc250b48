"""The keys of a block of queries are split between two programs; each gradient has a launch of its own; square blocks.

No tensor is copied: whatever its strides are, they are passed on.
"""

import torch
import triton
import triton.language as tl

SRAM_BYTES = 64 * 1024
SPLITS = 2


@triton.jit
def at(base, strides, rows, D: tl.constexpr, H):
    """Addresses of rows of one head, (rows, D)."""
    b, h = tl.program_id(2) // H, tl.program_id(2) % H
    start = b.to(tl.int64) * strides[0] + h.to(tl.int64) * strides[1]
    return base + start + rows[:, None] * strides[2] + tl.arange(0, D)[None, :] * strides[3]


@triton.jit
def load(base, strides, rows, T, D: tl.constexpr, H):
    return tl.load(at(base, strides, rows, D, H), mask=(rows < T)[:, None], other=0.0)


@triton.jit
def partial_softmax(
    q_ptr, k_ptr, v_ptr, sq, sk, sv, tops, sums, sides, H, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    first = tl.program_id(0) * BLOCK
    rows = first + tl.arange(0, BLOCK)
    q = load(q_ptr, sq, rows, T, D, H)
    m = tl.full([BLOCK], -1e38, tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    side = tl.zeros([BLOCK, D], tl.float32)
    blocks = tl.cdiv(T, BLOCK)
    if CAUSAL:
        blocks = tl.program_id(0) + 1
    for j in range(tl.program_id(1), blocks, SPLITS):  # every second block of keys
        keys = j * BLOCK + tl.arange(0, BLOCK)
        s = tl.dot(q, tl.trans(load(k_ptr, sk, keys, T, D, H)), input_precision="ieee") * scale
        hidden = (keys >= T)[None, :]
        if CAUSAL:
            hidden = hidden | (keys[None, :] > rows[:, None])
        s = tl.where(hidden, -1e38, s)
        new = tl.maximum(m, tl.max(s, 1))
        p = tl.where(hidden, 0.0, tl.exp(s - new[:, None]))
        alpha = tl.exp(m - new)
        v = load(v_ptr, sv, keys, T, D, H)
        side = side * alpha[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
        total = total * alpha + tl.sum(p, 1)
        m = new
    # partial results: (B·H, SPLITS, T) and (B·H, SPLITS, T, D)
    place = (tl.program_id(2).to(tl.int64) * SPLITS + tl.program_id(1)) * T + rows
    tl.store(tops + place, m, mask=rows < T)
    tl.store(sums + place, total, mask=rows < T)
    tl.store(sides + place[:, None] * D + tl.arange(0, D)[None, :], side, mask=(rows < T)[:, None])


@triton.jit
def join(tops, sums, sides, o_ptr, so, lse_ptr, H, T, D: tl.constexpr, BLOCK: tl.constexpr, SPLITS: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = tl.full([BLOCK], -1e38, tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    side = tl.zeros([BLOCK, D], tl.float32)
    for split in tl.static_range(SPLITS):
        place = (tl.program_id(2).to(tl.int64) * SPLITS + split) * T + rows
        other = tl.load(tops + place, mask=rows < T, other=-1e38)
        new = tl.maximum(m, other)
        a, b = tl.exp(m - new), tl.exp(other - new)
        total = total * a + tl.load(sums + place, mask=rows < T, other=1.0) * b
        part = tl.load(sides + place[:, None] * D + tl.arange(0, D)[None, :], mask=(rows < T)[:, None], other=0.0)
        side = side * a[:, None] + part * b[:, None]
        m = new
    o = (side / total[:, None]).to(o_ptr.dtype.element_ty)
    tl.store(at(o_ptr, so, rows, D, H), o, mask=(rows < T)[:, None])
    tl.store(lse_ptr + tl.program_id(2).to(tl.int64) * T + rows, m + tl.log(total), mask=rows < T)


@triton.jit
def gradient(
    q_ptr, k_ptr, v_ptr, do_ptr, out_ptr, sq, sk, sv, sdo, sout, lse_ptr, slse, delta_ptr, H, T, scale,
    WHICH: tl.constexpr, CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i = tl.program_id(0)
    own = i * BLOCK + tl.arange(0, BLOCK)
    result = tl.zeros([BLOCK, D], tl.float32)
    begin, end = 0, tl.cdiv(T, BLOCK)
    if CAUSAL:
        if WHICH == "q":
            end = i + 1
        else:
            begin = i
    head = tl.program_id(2)
    lse_ptr += (head // H).to(tl.int64) * slse[0] + (head % H) * slse[1]
    for j in range(begin, end):
        other = j * BLOCK + tl.arange(0, BLOCK)
        rows, keys = (own, other) if WHICH == "q" else (other, own)
        q, k = load(q_ptr, sq, rows, T, D, H), load(k_ptr, sk, keys, T, D, H)
        do = load(do_ptr, sdo, rows, T, D, H)
        lse = tl.load(lse_ptr + rows * slse[2], mask=rows < T, other=0.0)
        seen = (rows < T)[:, None] & (keys < T)[None, :]
        if CAUSAL:
            seen = seen & (rows[:, None] >= keys[None, :])
        p = tl.exp(tl.dot(q, tl.trans(k), input_precision="ieee") * scale - lse[:, None])
        p = tl.where(seen, p, 0.0)
        if WHICH == "v":
            result += tl.dot(tl.trans(p).to(do.dtype), do, input_precision="ieee")
        else:
            delta = tl.load(delta_ptr + head.to(tl.int64) * T + rows, mask=rows < T, other=0.0)
            v = load(v_ptr, sv, keys, T, D, H)
            ds = p * (tl.dot(do, tl.trans(v), input_precision="ieee") - delta[:, None]) * scale
            if WHICH == "k":
                result += tl.dot(tl.trans(ds).to(q.dtype), q, input_precision="ieee")
            else:
                result += tl.dot(ds.to(k.dtype), k, input_precision="ieee")
    tl.store(at(out_ptr, sout, own, D, H), result.to(out_ptr.dtype.element_ty), mask=(own < T)[:, None])


def flash_forward(q, k, v, causal):
    B, H, T, D = q.shape
    block, _ = block_sizes(D, SRAM_BYTES, q.element_size())
    o = torch.empty((B, H, T, D), dtype=q.dtype, device=q.device)
    lse, tops, sums, sides = (
        torch.empty(size, dtype=torch.float32, device=q.device)
        for size in ((B, H, T), (B * H, SPLITS, T), (B * H, SPLITS, T), (B * H, SPLITS, T, D))
    )
    blocks, shape = triton.cdiv(T, block), {"D": D, "BLOCK": block, "SPLITS": SPLITS}
    partial_softmax[(blocks, SPLITS, B * H)](
        q, k, v, q.stride(), k.stride(), v.stride(), tops, sums, sides, H, T, D**-0.5, CAUSAL=causal, **shape
    )
    join[(blocks, 1, B * H)](tops, sums, sides, o, o.stride(), lse, H, T, **shape)
    return o, lse


def flash_backward(q, k, v, o, lse, do, causal):
    B, H, T, D = q.shape
    delta = torch.sum(do.to(torch.float32) * o, dim=-1)
    strides = [tensor.stride() for tensor in (q, k, v, do)]
    block = 64 if D * q.element_size() <= 128 else 32
    answers = []
    for which, like in zip("qkv", (q, k, v), strict=True):
        out = torch.empty((B, H, T, D), dtype=like.dtype, device=q.device)
        gradient[(triton.cdiv(T, block), 1, B * H)](
            q, k, v, do, out, *strides, out.stride(), lse, lse.stride(), delta.contiguous(), H, T, D**-0.5,
            WHICH=which, CAUSAL=causal, D=D, BLOCK=block,
        )  # fmt: skip
        answers.append(out)
    return tuple(answers)


def block_sizes(head_dim, sram_bytes, bytes_per_element):
    n = 128
    while n > 16 and 3 * n * head_dim * bytes_per_element + 4 * n * head_dim + 4 * n * n > sram_bytes:
        n //= 2
    return n, n


def io_bytes(T, head_dim, block_m, block_n, bytes_per_element, causal):
    total = 0
    for first in range(0, T, block_m):
        mine = min(block_m, T - first)
        seen = min(T, first + block_m) if causal else T
        total += (SPLITS * mine + mine + 2 * seen) * head_dim * bytes_per_element  # q by each split, o, keys and values
        total += 2 * SPLITS * mine * 4 * (head_dim + 2)  # partial results, there and back
        total += 4 * mine
    return total
