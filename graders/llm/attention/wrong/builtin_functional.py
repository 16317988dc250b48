# fails: shapes_and_types   diagnosis: forbidden-call
"""Calls the function behind the module."""

import torch
import torch.nn.functional as F


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    length = x.shape[1]
    mask = torch.ones(length, length, dtype=torch.bool).triu(1)
    rows = x.transpose(0, 1)
    y, _ = F.multi_head_attention_forward(
        rows, rows, rows, x.shape[-1], n_heads, w_qkv.T, b_qkv, None, None, False, 0.0, w_out.T, b_out, attn_mask=mask
    )
    return y.transpose(0, 1), None


def attention_backward(dy, cache):
    return {}
