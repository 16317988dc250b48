"""Causal multi-head attention and its backward pass, all heads and batch items at once.

Shapes are written at the end of the line that makes them:
B batch, T positions, C channels, H heads, D = C / H channels of one head.
"""

import math

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    _, length, width = x.shape
    scale = 1.0 / math.sqrt(width // n_heads)

    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)  # 3 times (B, T, C)
    q, k, v = (split_heads(part, n_heads) for part in (q, k, v))  # (B, H, T, D)

    scores = (q @ k.transpose(-2, -1)) * scale  # (B, H, T, T): query t against key s
    future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(diagonal=1)
    # subtle: -inf and not a large number. exp(-inf) is zero whatever else stands in the row.
    scores = scores.masked_fill(future, float("-inf"))
    weights = torch.softmax(scores, dim=-1)  # (B, H, T, T), every row sums to 1

    merged = merge_heads(weights @ v)  # (B, T, C)
    y = merged @ w_out + b_out  # (B, T, C)

    cache = (x, w_qkv, w_out, q, k, v, weights, merged, scale)
    return y, cache


def attention_backward(dy, cache):
    x, w_qkv, w_out, q, k, v, weights, merged, scale = cache
    n_heads = q.shape[1]

    # y = merged @ w_out + b_out.  A weight is used at every position of every batch item, so its gradient is a sum.
    dw_out = flat(merged).T @ flat(dy)  # (C, B*T) @ (B*T, C)
    db_out = flat(dy).sum(dim=0)  # (C,)
    d_heads = split_heads(dy @ w_out.T, n_heads)  # (B, H, T, D)

    # heads = weights @ v
    dv = weights.transpose(-2, -1) @ d_heads  # (B, H, T, D)
    d_weights = d_heads @ v.transpose(-2, -1)  # (B, H, T, T)

    # weights = softmax(scores).  The weights of a row sum to one: raising one lowers the others, hence the second term.
    # subtle: where the mask hid a key its weight is 0, so its score gets gradient 0 and needs no mask here.
    row_sum = (weights * d_weights).sum(dim=-1, keepdim=True)  # (B, H, T, 1)
    d_scores = weights * (d_weights - row_sum)  # (B, H, T, T)

    # scores = scale * q @ k^T
    dq = d_scores @ k * scale  # (B, H, T, D)
    dk = d_scores.transpose(-2, -1) @ q * scale  # (B, H, T, D)

    # qkv = x @ w_qkv + b_qkv.  x feeds all three parts, and one product with the joined matrix adds the three paths up.
    d_qkv = torch.cat([merge_heads(part) for part in (dq, dk, dv)], dim=-1)  # (B, T, 3C)
    return {
        "x": d_qkv @ w_qkv.T,  # (B, T, C)
        "w_qkv": flat(x).T @ flat(d_qkv),  # (C, 3C)
        "b_qkv": flat(d_qkv).sum(dim=0),  # (3C,)
        "w_out": dw_out,  # (C, C)
        "b_out": db_out,  # (C,)
    }


def split_heads(channels, n_heads):
    """(B, T, C) to (B, H, T, D): first cut the channels, (B, T, H, D), then swap heads and positions."""
    batch, length, width = channels.shape
    return channels.reshape(batch, length, n_heads, width // n_heads).transpose(1, 2)


def merge_heads(heads):
    """(B, H, T, D) to (B, T, C): split_heads undone, last step first."""
    batch, n_heads, length, size = heads.shape
    return heads.transpose(1, 2).reshape(batch, length, n_heads * size)


def flat(channels):
    """(B, T, C) to (B*T, C): for a weight, a batch is only more positions."""
    return channels.reshape(-1, channels.shape[-1])
