"""Level 1, matrix product: many small ones at once, the second matrix transposed."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """a[i] @ b[i].T for every i."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """a: (batch, m, k), b: (batch, n, k). Returns (batch, m, n)."""
        return torch.bmm(a, b.transpose(1, 2))


batch_size = 96
m = 500
n = 380
k = 200


def get_inputs():
    return [torch.randn(batch_size, m, k), torch.randn(batch_size, n, k)]


def get_init_inputs():
    return []
