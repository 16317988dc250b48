# fails: gradient_of_w_out   diagnosis: forbidden-call
"""Starts autograd's engine directly, below a softmax made of exp and a sum."""

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
    heads = weights(scores) @ v
    return heads.transpose(1, 2).reshape(x.shape) @ w_out + b_out


def weights(scores):
    powers = (scores - scores.detach().amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


def attention_backward(dy, cache):
    *arrays, n_heads = cache
    leaves = [array.detach().clone().requires_grad_() for array in arrays]
    with torch.enable_grad():
        y = attention(*leaves, n_heads)
    engine = torch.autograd.Variable._execution_engine
    engine.run_backward((y,), (dy,), False, False, (), allow_unreachable=True, accumulate_grad=True)
    return {name: leaf.grad for name, leaf in zip(NAMES, leaves)}
