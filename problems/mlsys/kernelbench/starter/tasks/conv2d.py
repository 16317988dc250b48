"""Level 1, convolution as a matrix product: a window that is not square, with stride and padding."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """nn.Conv2d with a bias; kernel_size, stride and padding are (rows, columns)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
    ):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, in_channels, rows, columns). Returns (batch, out_channels, rows_out, columns_out)."""
        return self.conv(x)


batch_size = 32
in_channels = 48
out_channels = 96
rows, columns = 66, 58
kernel_size = (3, 5)
stride = (2, 1)
padding = (1, 2)


def get_inputs():
    return [torch.randn(batch_size, in_channels, rows, columns)]


def get_init_inputs():
    return [in_channels, out_channels, kernel_size, stride, padding]
