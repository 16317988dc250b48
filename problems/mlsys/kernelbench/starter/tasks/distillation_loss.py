"""Level 2, fusion: how far a student's distribution is from its teacher's, at a temperature."""

import torch
import torch.nn as nn


class Model(nn.Module):
    """temperature^2 * sum(p * (log p - log q)), p of teacher / temperature and q of student / temperature, per row."""

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """student and teacher: (batch, classes). Returns (batch,)."""
        log_q = torch.log_softmax(student / self.temperature, dim=-1)
        log_p = torch.log_softmax(teacher / self.temperature, dim=-1)
        return self.temperature**2 * (log_p.exp() * (log_p - log_q)).sum(dim=-1)


batch_size = 16384
classes = 8000
temperature = 2.5


def get_inputs():
    scale = 10 ** torch.empty(batch_size, 1).uniform_(0.0, 2.0)
    return [scale * torch.randn(batch_size, classes), 4 * torch.randn(batch_size, classes)]


def get_init_inputs():
    return [temperature]
