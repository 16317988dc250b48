# fails: forward_matches   diagnosis: none
"""Computes the softmax in bfloat16."""

import math

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    size = width // n_heads
    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)
    q, k, v = (split_heads(part, n_heads) for part in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(size)
    visible = torch.ones(length, length, dtype=torch.bool).tril()
    scores = scores.masked_fill(~visible, float("-inf"))
    weights = torch.softmax(scores.bfloat16(), dim=-1).to(x.dtype)
    merged = merge_heads(weights @ v)
    y = merged @ w_out + b_out
    return y, (x, w_qkv, w_out, q, k, v, weights, merged)


def attention_backward(dy, cache):
    x, w_qkv, w_out, q, k, v, weights, merged = cache
    batch, n_heads, length, size = q.shape
    width = n_heads * size
    scale = 1 / math.sqrt(size)
    dw_out = merged.reshape(-1, width).T @ dy.reshape(-1, width)
    db_out = dy.sum((0, 1))
    d_heads = split_heads(dy @ w_out.T, n_heads)
    dv = weights.transpose(-2, -1) @ d_heads
    d_weights = d_heads @ v.transpose(-2, -1)
    d_scores = weights * (d_weights - (weights * d_weights).sum(-1, keepdim=True))
    dq = d_scores @ k * scale
    dk = d_scores.transpose(-2, -1) @ q * scale
    d_qkv = torch.cat([merge_heads(dq), merge_heads(dk), merge_heads(dv)], -1)
    dx = d_qkv @ w_qkv.T
    dw_qkv = x.reshape(-1, width).T @ d_qkv.reshape(-1, 3 * width)
    db_qkv = d_qkv.sum((0, 1))
    return {"x": dx, "w_qkv": dw_qkv, "b_qkv": db_qkv, "w_out": dw_out, "b_out": db_out}


def split_heads(channels, n_heads):
    batch, length, width = channels.shape
    return channels.reshape(batch, length, n_heads, width // n_heads).transpose(1, 2)


def merge_heads(heads):
    batch, n_heads, length, size = heads.shape
    return heads.transpose(1, 2).reshape(batch, length, n_heads * size)
