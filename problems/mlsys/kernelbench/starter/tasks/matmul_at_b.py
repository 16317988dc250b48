"""Level 1, matrix product: the first matrix arrives transposed."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """a.T @ b."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """a: (k, m), b: (k, n). Returns (m, n)."""
        return a.T @ b


k = 6000
m = 1500
n = 2100


def get_inputs():
    return [torch.randn(k, m), torch.randn(k, n)]


def get_init_inputs():
    return []
