"""Level 2, fusion: add a residual, normalise the sum, return both."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """total = x + residual; total / sqrt(mean(total^2) + eps) * weight."""

    def __init__(self, features: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x and residual: (batch, features). Returns the normalised sum and the sum, both of the same shape."""
        total = x + residual
        scale = torch.rsqrt(total.square().mean(dim=-1, keepdim=True) + self.eps)
        return total * scale * self.weight, total


batch_size = 16384
features = 4000
eps = 1e-6


def get_inputs():
    scale = 10 ** torch.empty(batch_size, 1).uniform_(-3.5, 1.0)
    return [scale * torch.randn(batch_size, features), scale * torch.randn(batch_size, features)]


def get_init_inputs():
    return [features, eps]
