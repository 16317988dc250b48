# fails: gradient_of_w_out   diagnosis: forbidden-call
"""One forward-mode derivative per element."""

import torch
from torch.autograd import forward_ad

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
        found[name] = torch.empty_like(array)
        for index in range(array.numel()):
            tangent = torch.zeros_like(array)
            tangent.view(-1)[index] = 1
            with forward_ad.dual_level():
                moved = list(arrays)
                moved[place] = forward_ad.make_dual(array, tangent)
                slope = forward_ad.unpack_dual(attention(*moved, n_heads)).tangent
            found[name].view(-1)[index] = (slope * dy).sum()
    return found
