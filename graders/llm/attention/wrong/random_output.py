# fails: forward_matches   diagnosis: none
"""Noise of the right shape."""

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return torch.randn_like(x), None


def attention_backward(dy, cache):
    return {}
