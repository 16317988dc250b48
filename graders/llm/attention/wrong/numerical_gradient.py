# fails: backward_cost   diagnosis: gradient-measured-not-derived
"""Central differences in float64, two hundred elements at a time."""

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
    doubles = [array.double() for array in arrays]
    found = {}
    for place, (name, array) in enumerate(zip(NAMES, doubles)):

        def slope(direction):
            ahead, behind = ([*doubles[:place], array + way * direction, *doubles[place + 1 :], n_heads] for way in (1e-6, -1e-6))
            return ((attention(*ahead) - attention(*behind)) * dy).sum() / 2e-6

        slopes = []
        for start in range(0, array.numel(), 200):
            indices = torch.arange(start, min(start + 200, array.numel()))
            directions = torch.zeros(len(indices), array.numel(), dtype=torch.float64)
            directions[torch.arange(len(indices)), indices] = 1.0
            slopes.append(torch.vmap(slope)(directions.reshape(-1, *array.shape)))
        found[name] = torch.cat(slopes).reshape(array.shape).to(dy.dtype)
    return found
