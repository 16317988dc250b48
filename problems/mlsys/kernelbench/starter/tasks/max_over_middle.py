"""Level 1, reduction: the largest value along the middle axis, and where it stands."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """torch.max along one axis: two outputs."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x: (batch, rows, columns). Returns the values and their int64 positions, both (batch, columns) for dim 1."""
        values, indices = torch.max(x, dim=self.dim)
        return values, indices


batch_size = 64
rows = 1000
columns = 1023
dim = 1


def get_inputs():
    offset = 5 * torch.randn(batch_size, 1, columns) - 5
    return [torch.randn(batch_size, rows, columns) + offset]


def get_init_inputs():
    return [dim]
