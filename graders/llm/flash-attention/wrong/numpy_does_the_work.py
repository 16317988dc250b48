# fails: kernel_does_the_work   diagnosis: torch-does-the-work
"""Kernels copy; numpy attends, out of sight of torch."""

import numpy as np
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
    kind = q.dtype
    q, k, v = (touched(x).float().numpy().astype(np.float64) for x in (q, k, v))
    scores = np.einsum("bhtd,bhsd->bhts", q, k) * q.shape[-1] ** -0.5
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], dtype=bool)), scores, -np.inf)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    o = np.einsum("bhts,bhsd->bhtd", powers / powers.sum(-1, keepdims=True), v)
    return torch.from_numpy(o.astype(np.float32)) if kind == torch.float32 else torch.from_numpy(o).to(kind)


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
