"""llm/speculative: generation with a cache, and speculative decoding. The brief is in README.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def cached_forward(model: Any, tokens: Sequence[int], cache: Any) -> tuple[torch.Tensor, Any]:
    """Return the logits of some new tokens, (n, V), and a cache that holds them too.

    model:  has .config, .weights and .forward, as TinyGPT in tinygpt.py
    tokens: n >= 1 ids that follow those in the cache
    cache:  None at first, then what the last call returned; its form is yours to choose
    """
    raise NotImplementedError


def generate(
    model: Any,
    prompt: Sequence[int],
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> list[int]:
    """Return max_new_tokens new ids that continue the prompt, drawn from the model; temperature 0 is greedy."""
    raise NotImplementedError


def speculative_generate(
    target: Any,
    draft: Any,
    prompt: Sequence[int],
    max_new_tokens: int,
    gamma: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[list[int], dict[str, int]]:
    """Return the same as generate(target, ...), in fewer calls of the target, and the stats.

    gamma: how many tokens the draft proposes for each call of the target
    stats: {"proposed": ..., "accepted": ..., "target_calls": ...}
    """
    raise NotImplementedError
