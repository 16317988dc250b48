# fails: kernel_does_the_work   diagnosis: torch-does-the-work
"""Kernels copy; torch attends row by row, without one matrix product."""

import torch
import triton
import triton.language as tl


@triton.jit
def touch(x_ptr, y_ptr, size, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=at < size), mask=at < size)


def touched(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    touch[(triton.cdiv(x.numel(), 1024),)](x, y, x.numel(), BLOCK=1024)
    return y


def flash_attention(q, k, v, causal=True):
    q, k, v = touched(q), touched(k), touched(v)
    length, size = q.shape[-2:]
    rows = []
    for t in range(length):
        end = t + 1 if causal else length
        scores = (q[..., t : t + 1, :].float() * k[..., :end, :].float()).sum(-1) * size**-0.5
        powers = torch.exp(scores - scores.amax(-1, keepdim=True))
        weights = powers / powers.sum(-1, keepdim=True)
        rows.append((weights[..., None] * v[..., :end, :].float()).sum(-2))
    return torch.stack(rows, dim=-2).to(q.dtype)


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
