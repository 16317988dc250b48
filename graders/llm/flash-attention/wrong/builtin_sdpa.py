# fails: shapes_and_types   diagnosis: forbidden-call
"""Calls the builtin."""

import torch


def flash_attention(q, k, v, causal=True):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
