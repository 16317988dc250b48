"""Level 1, elementwise: a softplus that is multiplied by a gate."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Model(nn.Module):
    """gate * log(1 + exp(beta * x)) / beta."""

    def __init__(self, beta: float):
        super().__init__()
        self.beta = beta

    def forward(self, x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        """x and gate: (batch, features). Returns (batch, features)."""
        return gate * F.softplus(x, beta=self.beta)


batch_size = 4096
features = 8192
beta = 1.7


def get_inputs():
    scale = 10 ** torch.empty(batch_size, 1).uniform_(-1.0, 2.0)
    return [scale * torch.randn(batch_size, features), torch.randn(batch_size, features)]


def get_init_inputs():
    return [beta]
