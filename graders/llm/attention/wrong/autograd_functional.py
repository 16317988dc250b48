# fails: gradient_of_w_out   diagnosis: forbidden-call
"""Lets torch.autograd.functional do the backward pass."""

import torch

NAMES = ("x", "w_qkv", "b_qkv", "w_out", "b_out")


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return attention(x, w_qkv, b_qkv, w_out, b_out, n_heads), (x, w_qkv, b_qkv, w_out, b_out, n_heads)


def attention(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    q, k, v = (x @ w_qkv + b_qkv).split(width, dim=-1)
    q, k, v = (part.reshape(batch, length, n_heads, -1).transpose(1, 2) for part in (q, k, v))
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -torch.inf)
    heads = torch.softmax(scores, dim=-1) @ v
    return heads.transpose(1, 2).reshape(x.shape) @ w_out + b_out


def attention_backward(dy, cache):
    *arrays, n_heads = cache
    _, found = torch.autograd.functional.vjp(lambda *leaves: attention(*leaves, n_heads), tuple(arrays), dy)
    return dict(zip(NAMES, found))
