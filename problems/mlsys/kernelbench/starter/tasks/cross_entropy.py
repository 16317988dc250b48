"""Level 1, loss: the mean cross-entropy of a batch, one number."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Model(nn.Module):
    """The mean of -log(softmax(logits)[target])."""

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """logits: (batch, classes), targets: (batch,) int64. Returns a tensor without axes."""
        return F.cross_entropy(logits, targets)


batch_size = 16384
classes = 8000


def get_inputs():
    # one number could be guessed if it were always the same: its scale is drawn, and how much is known of the targets
    scale = 10 ** torch.empty(()).uniform_(-0.5, 1.5)
    known = scale * torch.empty(()).uniform_(1.0, 2.0)
    targets = torch.randint(classes, (batch_size,))
    logits = scale * torch.randn(batch_size, classes)
    return [logits + known * F.one_hot(targets, classes), targets]


def get_init_inputs():
    return []
