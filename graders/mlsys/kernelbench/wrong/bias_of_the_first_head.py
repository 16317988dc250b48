# fails: attention_weights   diagnosis: batch-index-forgotten   over: per_task
"""Every head uses the first one's bias."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(scores_ptr, bias_ptr, y_ptr, scale, batch, queries, keys, own, BLOCK: tl.constexpr):
    query = tl.program_id(0)
    key = tl.arange(0, BLOCK)
    # beyond the last key the bias is minus infinity, and so is everything that it is added to
    bias = tl.load(bias_ptr + query % own * keys + key, mask=key < keys, other=-float("inf"))
    for item in range(batch):
        at = (item * queries + query) * keys + key
        scores = tl.load(scores_ptr + at, mask=key < keys, other=0.0) * scale + bias
        scores = tl.exp(scores - tl.max(scores, axis=0))
        tl.store(y_ptr + at, scores / tl.sum(scores, axis=0), mask=key < keys)


class ModelNew(nn.Module):
    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, scores, bias):
        batch, heads, queries, keys = scores.shape
        y = torch.empty_like(scores)
        block = triton.next_power_of_2(keys)
        kernel[(heads * queries,)](scores, bias, y, self.scale, batch, heads * queries, keys, queries, BLOCK=block)
        return y


def model_new(task):
    return ModelNew if task == "attention_weights" else importlib.import_module(f"solutions.{task}").ModelNew
