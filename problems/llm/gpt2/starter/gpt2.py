"""llm/gpt2: GPT-2 (124M) from an empty file. The brief is in README.md; you may add files beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass
class GPTConfig:
    """The sizes of a model; by default those of GPT-2 (124M)."""

    vocab_size: int = 50257
    block_size: int = 1024
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768


class GPT(nn.Module):
    """The network. Parameters may have any names and layouts; each published number is one element of one of them."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return (logits, loss): (B, T) ids to (B, T, V) logits; the mean loss against targets (B, T), or None."""
        raise NotImplementedError


def load_gpt2_weights(model: GPT, tensors: dict[str, torch.Tensor]) -> None:
    """Copy published tensors ("wte.weight", "h.0.attn.c_attn.weight", ...) into the model."""
    raise NotImplementedError


def make_optimizer(
    model: GPT, weight_decay: float, learning_rate: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """AdamW with eps 1e-8; matrices decay, biases and layer norms do not."""
    raise NotImplementedError


def learning_rate(step: int, max_lr: float, min_lr: float, warmup_steps: int, max_steps: int) -> float:
    """The rate of a step, counted from 0: warm-up in a line, half a cosine down, min_lr from max_steps on."""
    raise NotImplementedError


class TokenShards:
    """Files of tokens as one endless stream, of which this rank reads its windows."""

    def __init__(
        self, paths: Sequence[str], batch_size: int, seq_len: int, rank: int = 0, world_size: int = 1
    ) -> None:
        raise NotImplementedError

    def next_batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (x, y), int64 of shape (batch_size, seq_len) each; y is one token ahead."""
        raise NotImplementedError

    def state_dict(self) -> Any:
        """Return what load_state_dict needs to go on from here."""
        raise NotImplementedError

    def load_state_dict(self, state: Any) -> None:
        """Go on where the state was taken."""
        raise NotImplementedError


def train_step(
    model: GPT,
    optimizer: torch.optim.Optimizer,
    micro_batches: Sequence[tuple[torch.Tensor, torch.Tensor]],
    max_norm: float,
) -> dict[str, float]:
    """One step of the optimizer; return {"loss": mean over the micro-batches, "grad_norm": before clipping}."""
    raise NotImplementedError


def choose_ending(model: GPT, context_ids: list[int], endings_ids: list[list[int]]) -> int:
    """Return the number of the ending with the lowest mean loss over its own tokens."""
    raise NotImplementedError


def train(token_dir: str, out_dir: str, config: GPTConfig, seed: int, max_steps: int, **settings: Any) -> None:
    """Train on the files with _train_ in their name; go on from out_dir if there is something to go on from."""
    raise NotImplementedError


def load_model(out_dir: str) -> GPT:
    """Return the model of the last whole checkpoint in out_dir, on the CPU."""
    raise NotImplementedError
