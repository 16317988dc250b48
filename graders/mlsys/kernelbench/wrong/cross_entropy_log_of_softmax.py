# fails: cross_entropy   diagnosis: not-finite   over: per_task
"""Takes the logarithm of the target's weight."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_losses(logits_ptr, targets_ptr, losses_ptr, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    values = tl.load(logits_ptr + row * classes + column, mask=column < classes, other=-float("inf"))
    right = tl.load(logits_ptr + row * classes + tl.load(targets_ptr + row))
    largest = tl.max(values)
    loss = -tl.log(tl.exp(right - largest) / tl.sum(tl.exp(values - largest)))
    tl.store(losses_ptr + row, loss)


@triton.jit
def average(losses_ptr, mean_ptr, count, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    total = tl.load(losses_ptr + at, mask=at < count, other=0.0)
    tl.store(mean_ptr, tl.sum(total) / count)


class ModelNew(nn.Module):
    def forward(self, logits, targets):
        height, width = logits.shape
        losses, mean = logits.new_empty(height), logits.new_empty(())
        row_losses[(height,)](logits, targets, losses, width, BLOCK=triton.next_power_of_2(width))
        average[(1,)](losses, mean, height, BLOCK=triton.next_power_of_2(height))
        return mean


def model_new(task):
    return ModelNew if task == "cross_entropy" else importlib.import_module(f"solutions.{task}").ModelNew
