# fails: gradient_of_w_out   diagnosis: not-implemented
"""Forward done, backward still the stub."""

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
    weights = torch.softmax(scores, dim=-1)
    merged = merge_heads(weights @ v)
    y = merged @ w_out + b_out
    return y, (x, w_qkv, w_out, q, k, v, weights, merged)


def attention_backward(dy, cache):
    raise NotImplementedError


def split_heads(channels, n_heads):
    batch, length, width = channels.shape
    return channels.reshape(batch, length, n_heads, width // n_heads).transpose(1, 2)


def merge_heads(heads):
    batch, n_heads, length, size = heads.shape
    return heads.transpose(1, 2).reshape(batch, length, n_heads * size)
