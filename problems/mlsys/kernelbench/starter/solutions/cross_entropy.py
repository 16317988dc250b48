"""Your kernels for tasks/cross_entropy.py."""

import torch
import torch.nn as nn
import triton
import triton.language as tl


class ModelNew(nn.Module):
    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """logits: (batch, classes), targets: (batch,) int64. Returns a tensor without axes."""
        raise NotImplementedError
