# fails: shapes_and_types   diagnosis: forbidden-call
"""Calls the builtin under another name, and hides the trap's exception."""

from torch._C._nn import scaled_dot_product_attention as plain


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)
    q, k, v = (part.reshape(batch, length, n_heads, -1).transpose(1, 2) for part in (q, k, v))
    try:
        heads = plain(q, k, v, is_causal=True)
    except Exception:
        heads = v
    return heads.transpose(1, 2).reshape(x.shape) @ w_out + b_out, None


def attention_backward(dy, cache):
    return {}
