# fails: shapes_and_types   diagnosis: forbidden-call
"""Calls flex_attention."""

import torch
from torch.nn.attention.flex_attention import flex_attention


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)
    q, k, v = (part.reshape(batch, length, n_heads, -1).transpose(1, 2) for part in (q, k, v))
    def causal(score, batch, head, query, key):
        return torch.where(query >= key, score, -torch.inf)

    heads = flex_attention(q, k, v, score_mod=causal)
    return heads.transpose(1, 2).reshape(x.shape) @ w_out + b_out, None


def attention_backward(dy, cache):
    return {}
