"""Level 1, softmax: logarithms of the weights, along an axis that is not the last."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """log(softmax(x)) over the channels of every position."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, channels, positions). Returns the same shape."""
        return torch.log_softmax(x, dim=1)


batch_size = 32
channels = 500
positions = 4097


def get_inputs():
    scale = 10 ** torch.empty(batch_size, 1, positions).uniform_(-1.0, 2.0)
    return [scale * torch.randn(batch_size, channels, positions)]


def get_init_inputs():
    return []
