# fails: cross_entropy   diagnosis: not-finite   over: per_task
"""The running maximum never rises after the first block."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_losses(logits_ptr, targets_ptr, losses_ptr, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    target = tl.load(targets_ptr + row)
    largest, total, right = -float("inf"), 0.0, 0.0
    for start in range(0, classes, BLOCK):
        column = start + tl.arange(0, BLOCK)
        values = tl.load(logits_ptr + row * classes + column, mask=column < classes, other=-float("inf"))
        higher = tl.where(start == 0, tl.max(values, axis=0), largest)
        total = total * tl.exp(largest - higher) + tl.sum(tl.exp(values - higher), axis=0)
        right += tl.sum(tl.where(column == target, values, 0.0), axis=0)
        largest = higher
    tl.store(losses_ptr + row, largest + tl.log(total) - right)


@triton.jit
def average(losses_ptr, mean_ptr, count, BLOCK: tl.constexpr):
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, count, BLOCK):
        at = start + tl.arange(0, BLOCK)
        total += tl.load(losses_ptr + at, mask=at < count, other=0.0)
    tl.store(mean_ptr, tl.sum(total, axis=0) / count)


class ModelNew(nn.Module):
    def forward(self, logits, targets):
        losses = torch.empty(logits.shape[0], device=logits.device)
        mean = torch.empty((), device=logits.device)
        row_losses[(losses.numel(),)](logits, targets, losses, logits.shape[1], BLOCK=1024)
        average[(1,)](losses, mean, losses.numel(), BLOCK=1024)
        return mean


def model_new(task):
    return ModelNew if task == "cross_entropy" else importlib.import_module(f"solutions.{task}").ModelNew
