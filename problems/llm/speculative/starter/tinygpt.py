"""A small plain GPT: weights in, logits out, no cache. Yours to read, to call and to run; what is graded is inference.py.

The grader brings models of its own, with the same three things on them: `config`, `weights` and `forward(tokens)`.
Changing this file changes nothing there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Config:
    """Sizes of a model. Each head has width / n_heads channels."""

    vocab_size: int  # V
    context: int  # the longest sequence that the model can read
    n_layers: int
    n_heads: int  # H
    width: int  # C


class TinyGPT:
    """A pre-norm transformer over one sequence of token ids.

    weights, by name, all of one dtype (i counts the layers from 0; vectors are stored as they are added):

        token_embedding        (V, C)           position_embedding     (context, C)
        layer.i.norm_1.gain    (C,)             layer.i.norm_1.bias    (C,)
        layer.i.w_qkv          (C, 3C)          layer.i.b_qkv          (3C,)         queries | keys | values
        layer.i.w_out          (C, C)           layer.i.b_out          (C,)
        layer.i.norm_2.gain    (C,)             layer.i.norm_2.bias    (C,)
        layer.i.w_up           (C, 4C)          layer.i.b_up           (4C,)
        layer.i.w_down         (4C, C)          layer.i.b_down         (C,)
        norm.gain              (C,)             norm.bias              (C,)
        head                   (C, V)
    """

    def __init__(self, config: Config, weights: dict[str, torch.Tensor]) -> None:
        self.config = config
        self.weights = weights

    def forward(self, tokens: Sequence[int]) -> torch.Tensor:
        """Return the logits after every position, (T, V), of T token ids: row t is about the token that follows t."""
        w = self.weights
        length = len(tokens)
        if length > self.config.context:
            raise ValueError(f"{length} tokens, but this model reads {self.config.context} at most")
        x = w["token_embedding"][torch.as_tensor(tokens)] + w["position_embedding"][:length]  # (T, C)
        for index in range(self.config.n_layers):
            layer = f"layer.{index}."
            x = x + self.attention(layer, self.normalized(x, layer + "norm_1"))
            hidden = self.normalized(x, layer + "norm_2") @ w[layer + "w_up"] + w[layer + "b_up"]  # (T, 4C)
            x = x + functional.gelu(hidden, approximate="tanh") @ w[layer + "w_down"] + w[layer + "b_down"]
        return self.normalized(x, "norm") @ w["head"]

    def attention(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        """Causal self-attention, (T, C) -> (T, C); head h owns the channels h * C/H up to (h + 1) * C/H."""
        w = self.weights
        length, width = x.shape
        heads = self.config.n_heads
        qkv = x @ w[layer + "w_qkv"] + w[layer + "b_qkv"]  # (T, 3C)
        q, k, v = qkv.view(length, 3, heads, width // heads).permute(1, 2, 0, 3)  # each (H, T, C/H)
        scores = q @ k.transpose(1, 2) / (width // heads) ** 0.5  # (H, T, T)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        z = scores.masked_fill(future, float("-inf")).softmax(dim=-1) @ v  # (H, T, C/H)
        return z.transpose(0, 1).reshape(length, width) @ w[layer + "w_out"] + w[layer + "b_out"]

    def normalized(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """LayerNorm over the channels of each position, eps 1e-5."""
        w = self.weights
        return functional.layer_norm(x, x.shape[-1:], w[name + ".gain"], w[name + ".bias"], eps=1e-5)


def random_model(config: Config, seed: int = 0) -> TinyGPT:
    """A model with random weights, to try things on."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * scale

    width = config.width
    weights = {
        "token_embedding": normal(config.vocab_size, width, scale=1.0),
        "position_embedding": normal(config.context, width, scale=0.5),
        "norm.gain": torch.ones(width),
        "norm.bias": torch.zeros(width),
        "head": normal(width, config.vocab_size, scale=2 * width**-0.5),
    }
    for index in range(config.n_layers):
        for name, inputs, outputs in (("qkv", width, 3 * width), ("out", width, width), ("up", width, 4 * width)):
            weights[f"layer.{index}.w_{name}"] = normal(inputs, outputs, scale=inputs**-0.5)
            weights[f"layer.{index}.b_{name}"] = normal(outputs, scale=0.1)
        weights[f"layer.{index}.w_down"] = normal(4 * width, width, scale=0.5 * width**-0.5)
        weights[f"layer.{index}.b_down"] = normal(width, scale=0.1)
        for norm in ("norm_1", "norm_2"):
            weights[f"layer.{index}.{norm}.gain"] = torch.ones(width)
            weights[f"layer.{index}.{norm}.bias"] = torch.zeros(width)
    return TinyGPT(config, weights)
