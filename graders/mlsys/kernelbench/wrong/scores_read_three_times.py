# fails: fused_traffic   diagnosis: reads-too-often   over: per_task
"""Maximum, sum and answer, each in a walk of its own over the row."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(scores_ptr, bias_ptr, y_ptr, scale, bias_rows, keys, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    scores_ptr += row * keys
    bias_ptr += row % bias_rows * keys
    largest, total = -float("inf"), 0.0
    for start in range(0, keys, BLOCK):
        at = start + tl.arange(0, BLOCK)
        s = tl.load(scores_ptr + at, mask=at < keys, other=-float("inf")) * scale
        largest = tl.maximum(largest, tl.max(s + tl.load(bias_ptr + at, mask=at < keys, other=0.0)))
    for start in range(0, keys, BLOCK):
        at = start + tl.arange(0, BLOCK)
        s = tl.load(scores_ptr + at, mask=at < keys, other=-float("inf")) * scale
        total += tl.sum(tl.exp(s + tl.load(bias_ptr + at, mask=at < keys, other=0.0) - largest))
    for start in range(0, keys, BLOCK):
        at = start + tl.arange(0, BLOCK)
        s = tl.load(scores_ptr + at, mask=at < keys, other=-float("inf")) * scale
        e = tl.exp(s + tl.load(bias_ptr + at, mask=at < keys, other=0.0) - largest)
        tl.store(y_ptr + row * keys + at, e / total, mask=at < keys)


class ModelNew(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, scores, bias):
        batch, heads, queries, keys = scores.shape
        y = torch.empty_like(scores)
        kernel[(batch * heads * queries,)](scores, bias, y, self.scale, heads * queries, keys, BLOCK=1024)
        return y


def model_new(task):
    return ModelNew if task == "attention_weights" else importlib.import_module(f"solutions.{task}").ModelNew
