"""Level 1, norm: layer normalisation over the last axis."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """(x - mean) / sqrt(variance + eps) * weight + bias, for every position."""

    def __init__(self, features: int, eps: float):
        super().__init__()
        self.norm = nn.LayerNorm(features, eps=eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, length, features). Returns the same shape."""
        return self.norm(x)


batch_size = 16
length = 2048
features = 2560
eps = 1e-5


def get_inputs():
    scale = 10 ** torch.empty(batch_size, length, 1).uniform_(-3.0, 1.0)
    return [scale * (torch.randn(batch_size, length, features) + torch.randn(batch_size, length, 1))]


def get_init_inputs():
    return [features, eps]
