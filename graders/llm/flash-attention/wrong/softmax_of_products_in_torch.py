# fails: kernel_does_the_work   diagnosis: torch-does-the-work
"""torch makes the scores, a kernel does the rest."""

import torch
import triton
import triton.language as tl


@triton.jit
def attend(s_ptr, v_ptr, o_ptr, length, CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr):
    row, head = tl.program_id(0), tl.program_id(1)
    keys, channels = tl.arange(0, BLOCK), tl.arange(0, D)
    there = keys < (row + 1 if CAUSAL else length)
    scores = tl.load(s_ptr + (head * length + row) * length + keys, mask=there, other=float("-inf")).to(tl.float32)
    powers = tl.exp(scores - tl.max(scores, axis=0))
    v = tl.load(v_ptr + (head * length + keys[:, None]) * D + channels[None, :], mask=there[:, None], other=0.0)
    o = tl.sum(powers[:, None] * v.to(tl.float32), axis=0) / tl.sum(powers, axis=0)
    tl.store(o_ptr + (head * length + row) * D + channels, o.to(o_ptr.dtype.element_ty))


def flash_attention(q, k, v, causal=True):
    batch, heads, length, size = q.shape
    scores = torch.matmul(q.float(), k.float().transpose(-2, -1)) * size**-0.5
    o = torch.empty(q.shape, dtype=q.dtype)
    attend[(length, batch * heads)](
        scores.contiguous(), v.contiguous(), o, length, causal, size, triton.next_power_of_2(length)
    )
    return o


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
