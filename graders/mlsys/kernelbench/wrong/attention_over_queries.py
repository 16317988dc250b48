# fails: attention_weights   diagnosis: wrong-axis   over: per_task
"""Normalises over the queries."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(scores_ptr, bias_ptr, y_ptr, scale, heads, queries, keys, BLOCK: tl.constexpr):
    plane, key = tl.program_id(0), tl.program_id(1)
    query = tl.arange(0, BLOCK)
    at = query * keys + key
    s = tl.load(scores_ptr + plane * queries * keys + at, mask=query < queries, other=-float("inf"))
    s = s * scale + tl.load(bias_ptr + plane % heads * queries * keys + at, mask=query < queries, other=0.0)
    e = tl.exp(s - tl.max(s))
    tl.store(y_ptr + plane * queries * keys + at, e / tl.sum(e), mask=query < queries)


class ModelNew(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, scores, bias):
        batch, heads, queries, keys = scores.shape
        y = torch.empty_like(scores)
        block = triton.next_power_of_2(queries)
        kernel[(batch * heads, keys)](scores, bias, y, self.scale, heads, queries, keys, BLOCK=block)
        return y


def model_new(task):
    return ModelNew if task == "attention_weights" else importlib.import_module(f"solutions.{task}").ModelNew
