# fails: clipping   diagnosis: norm-after-clipping   over: classic
"""One optimizer step: which weights decay, how large the step is, and how gradients are gathered and clipped."""

from __future__ import annotations

import math

import torch
from torch import nn


def make_optimizer(model, weight_decay, learning_rate, betas):
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=1e-8)


def learning_rate(step, max_lr, min_lr, warmup_steps, max_steps):
    if step < warmup_steps:
        return max_lr * (step + 1) / warmup_steps
    if step >= max_steps:
        return min_lr
    progress = (step - warmup_steps) / (max_steps - warmup_steps)
    return min_lr + 0.5 * (1 + math.cos(math.pi * progress)) * (max_lr - min_lr)


def train_step(model, optimizer, micro_batches, max_norm):
    optimizer.zero_grad()
    total = 0.0
    for x, y in micro_batches:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
            _, loss = model(x, y)
        (loss / len(micro_batches)).backward()
        total += loss.item() / len(micro_batches)
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])
    optimizer.step()
    return {"loss": total, "grad_norm": norm.item()}
