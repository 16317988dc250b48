# fails: shapes_and_types   diagnosis: forbidden-call
"""Calls the builtin's fallback, which is made of ordinary operators."""

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)
    q, k, v = (part.reshape(batch, length, n_heads, -1).transpose(1, 2) for part in (q, k, v))
    heads = torch.ops.aten._scaled_dot_product_attention_math(q, k, v, is_causal=True)[0]
    return heads.transpose(1, 2).reshape(x.shape) @ w_out + b_out, None


def attention_backward(dy, cache):
    return {}
