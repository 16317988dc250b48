# fails: forward_matches   diagnosis: all-zeros
"""Zeros of the right shape."""

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return torch.zeros_like(x), None


def attention_backward(dy, cache):
    return {}
