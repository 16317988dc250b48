# fails: cross_entropy   diagnosis: programs-race   over: per_task
"""Every program loads the sum, adds its own and stores it."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(logits_ptr, targets_ptr, loss_ptr, height, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    values = tl.load(logits_ptr + row * classes + column, mask=column < classes, other=-float("inf"))
    right = tl.load(logits_ptr + row * classes + tl.load(targets_ptr + row))
    largest = tl.max(values)
    loss = largest + tl.log(tl.sum(tl.exp(values - largest))) - right
    tl.store(loss_ptr, tl.load(loss_ptr) + loss / height)


class ModelNew(nn.Module):
    def forward(self, logits, targets):
        height, width = logits.shape
        loss = logits.new_zeros(())
        kernel[(height,)](logits, targets, loss, height, width, BLOCK=triton.next_power_of_2(width))
        return loss


def model_new(task):
    return ModelNew if task == "cross_entropy" else importlib.import_module(f"solutions.{task}").ModelNew
