# fails: forward_matches   diagnosis: constant-output
"""The same number everywhere."""

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return torch.ones_like(x), None


def attention_backward(dy, cache):
    return {}
