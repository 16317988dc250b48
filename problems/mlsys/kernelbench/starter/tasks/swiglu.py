"""Level 2, fusion: two linear layers of the same input, one gating the other."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Model(nn.Module):
    """silu(x @ gate.T) * (x @ up.T)."""

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.gate = nn.Linear(in_features, out_features, bias=False)
        self.up = nn.Linear(in_features, out_features, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, in_features). Returns (batch, out_features)."""
        return F.silu(self.gate(x)) * self.up(x)


batch_size = 8192
in_features = 500
out_features = 1400


def get_inputs():
    return [3 * torch.randn(batch_size, in_features)]


def get_init_inputs():
    return [in_features, out_features]
