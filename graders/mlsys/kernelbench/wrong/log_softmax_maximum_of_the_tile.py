# fails: log_softmax_channels   diagnosis: not-finite   over: per_task
"""Subtracts the largest number of a tile from all of its positions."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(x_ptr, y_ptr, channels, positions, CHANNELS: tl.constexpr, POSITIONS: tl.constexpr):
    item = tl.program_id(0)
    position = tl.program_id(1) * POSITIONS + tl.arange(0, POSITIONS)[None, :]
    base = item * channels * positions + position
    largest = tl.full((1, POSITIONS), -1e38, tl.float32)
    total = tl.zeros((1, POSITIONS), tl.float32)
    for start in range(0, channels, CHANNELS):
        channel = start + tl.arange(0, CHANNELS)[:, None]
        seen = (channel < channels) & (position < positions)
        x = tl.load(x_ptr + base + channel * positions, mask=seen, other=-float("inf"))
        higher = tl.maximum(largest, tl.max(x))
        total = total * tl.exp(largest - higher) + tl.sum(tl.exp(x - higher), axis=0, keep_dims=True)
        largest = higher
    total = tl.log(total)
    for start in range(0, channels, CHANNELS):
        channel = start + tl.arange(0, CHANNELS)[:, None]
        seen = (channel < channels) & (position < positions)
        x = tl.load(x_ptr + base + channel * positions, mask=seen)
        tl.store(y_ptr + base + channel * positions, x - largest - total, mask=seen)


class ModelNew(nn.Module):
    def forward(self, x):
        batch, channels, positions = x.shape
        y = torch.empty_like(x)
        grid = (batch, triton.cdiv(positions, 64))
        kernel[grid](x, y, channels, positions, CHANNELS=64, POSITIONS=64)
        return y


def model_new(task):
    return ModelNew if task == "log_softmax_channels" else importlib.import_module(f"solutions.{task}").ModelNew
