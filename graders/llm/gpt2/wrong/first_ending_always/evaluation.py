# fails: choose_ending   diagnosis: none   over: classic
"""HellaSwag: the ending that the model finds likeliest, token for token."""

from __future__ import annotations

import torch
from torch.nn import functional as F


@torch.no_grad()
def choose_ending(model, context_ids, endings_ids):
    losses = []
    for ending in endings_ids:
        tokens = torch.tensor([*context_ids, *ending], device=next(model.parameters()).device)
        logits, _ = model(tokens[None, :-1])
        first = len(context_ids) - 1  # the logits at the last token of the context predict the ending's first
        losses.append(F.cross_entropy(logits[0, first:], tokens[first + 1 :]).item())
    return 0
