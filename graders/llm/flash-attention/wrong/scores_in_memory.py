# fails: no_square_buffer   diagnosis: scores-in-memory
"""Three kernels with the matrix of scores between them."""

import torch
import triton
import triton.language as tl


@triton.jit
def score(q_ptr, k_ptr, s_ptr, length, scale, CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr):
    head = tl.program_id(2)
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    keys = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    channels = tl.arange(0, D)
    q_at = q_ptr + (head * length + rows[:, None]) * D + channels[None, :]
    k_at = k_ptr + (head * length + keys[:, None]) * D + channels[None, :]
    q = tl.load(q_at, mask=rows[:, None] < length, other=0.0)
    k = tl.load(k_at, mask=keys[:, None] < length, other=0.0)
    s = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
    if CAUSAL:
        s = tl.where(keys[None, :] <= rows[:, None], s, float("-inf"))
    inside = (rows < length)[:, None] & (keys < length)[None, :]
    tl.store(s_ptr + (head * length + rows[:, None]) * length + keys[None, :], s, mask=inside)


@triton.jit
def normalise(s_ptr, length, BLOCK: tl.constexpr):
    row = tl.program_id(1) * length + tl.program_id(0)
    keys = tl.arange(0, BLOCK)
    s = tl.load(s_ptr + row * length + keys, mask=keys < length, other=float("-inf"))
    powers = tl.exp(s - tl.max(s, axis=0))
    tl.store(s_ptr + row * length + keys, powers / tl.sum(powers, axis=0), mask=keys < length)


@triton.jit
def average(s_ptr, v_ptr, o_ptr, length, D: tl.constexpr, BLOCK: tl.constexpr):
    head = tl.program_id(1)
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channels = tl.arange(0, D)
    o = tl.zeros([BLOCK, D], dtype=tl.float32)
    for start in range(0, length, BLOCK):
        keys = start + tl.arange(0, BLOCK)
        inside = (rows < length)[:, None] & (keys < length)[None, :]
        p = tl.load(s_ptr + (head * length + rows[:, None]) * length + keys[None, :], mask=inside, other=0.0)
        v_at = v_ptr + (head * length + keys[:, None]) * D + channels[None, :]
        v = tl.load(v_at, mask=(keys < length)[:, None], other=0.0)
        o += tl.dot(p.to(v.dtype), v, input_precision="ieee")
    o_at = o_ptr + (head * length + rows[:, None]) * D + channels[None, :]
    tl.store(o_at, o.to(o_ptr.dtype.element_ty), mask=(rows < length)[:, None])


def flash_attention(q, k, v, causal=True):
    batch, heads, length, size = q.shape
    q, k, v = (tensor.contiguous() for tensor in (q, k, v))
    o = torch.empty_like(q)
    s = torch.empty(batch * heads, length, length, dtype=torch.float32, device=q.device)
    blocks = triton.cdiv(length, 64)
    score[(blocks, blocks, batch * heads)](q, k, s, length, size**-0.5, CAUSAL=causal, D=size, BLOCK=64)
    normalise[(length, batch * heads)](s, length, BLOCK=triton.next_power_of_2(length))
    average[(blocks, batch * heads)](s, v, o, length, D=size, BLOCK=64)
    return o


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
