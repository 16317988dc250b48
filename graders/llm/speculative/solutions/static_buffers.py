"""Keys and values in buffers of fixed size with a length, to roll back is one assignment; greedy by a rule apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass
class Buffers:
    keys: torch.Tensor  # (L, H, context, D)
    values: torch.Tensor
    length: int = 0

    @classmethod
    def empty(cls, model) -> Buffers:
        c = model.config
        like = model.weights["head"]
        shape = (c.n_layers, c.n_heads, c.context, c.width // c.n_heads)
        return cls(like.new_zeros(shape), like.new_zeros(shape))


def layer_norm(x, gain, bias):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * gain + bias


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@torch.inference_mode()
def cached_forward(model, tokens, cache):
    c, w = model.config, model.weights
    if cache is None:
        cache = Buffers.empty(model)
    start, end = cache.length, cache.length + len(tokens)
    positions = torch.arange(start, end)
    visible = torch.arange(end)[None, :] <= positions[:, None]
    x = torch.stack([w["token_embedding"][int(token)] for token in tokens]) + w["position_embedding"][positions]
    for i in range(c.n_layers):
        a = layer_norm(x, w[f"layer.{i}.norm_1.gain"], w[f"layer.{i}.norm_1.bias"])
        q, k, v = (a @ w[f"layer.{i}.w_qkv"] + w[f"layer.{i}.b_qkv"]).chunk(3, dim=-1)
        heads = [part.reshape(len(tokens), c.n_heads, -1).transpose(0, 1) for part in (q, k, v)]
        cache.keys[i, :, start:end] = heads[1]
        cache.values[i, :, start:end] = heads[2]
        scores = heads[0] @ cache.keys[i, :, :end].transpose(1, 2) / math.sqrt(c.width // c.n_heads)
        weights = torch.where(visible, scores, torch.tensor(-math.inf, dtype=scores.dtype)).softmax(-1)
        z = (weights @ cache.values[i, :, :end]).transpose(0, 1).flatten(1)
        x = x + (z @ w[f"layer.{i}.w_out"] + w[f"layer.{i}.b_out"])
        b = layer_norm(x, w[f"layer.{i}.norm_2.gain"], w[f"layer.{i}.norm_2.bias"])
        b = gelu(b @ w[f"layer.{i}.w_up"] + w[f"layer.{i}.b_up"])
        x = x + (b @ w[f"layer.{i}.w_down"] + w[f"layer.{i}.b_down"])
    cache.length = end
    return layer_norm(x, w["norm.gain"], w["norm.bias"]) @ w["head"], cache


def distribution(row, temperature, top_k=None, top_p=None):
    chances = torch.softmax(row.double() / temperature, dim=-1)
    order = torch.argsort(chances, descending=True)
    if top_k is not None:
        order = order[:top_k]
    if top_p is not None:
        running, kept = 0.0, []
        share = chances[order] / chances[order].sum()
        for token, chance in zip(order.tolist(), share.tolist(), strict=True):
            kept.append(token)
            running += chance
            if running >= top_p:
                break
        order = torch.tensor(kept)
    filtered = torch.zeros_like(chances)
    filtered[order] = chances[order]
    return filtered / filtered.sum()


def pick(chances, generator):
    """Invert the cumulative sums at a uniform number, among the tokens that are possible."""
    tokens = chances.nonzero().flatten()
    ends = chances[tokens].cumsum(0)
    number = torch.rand(1, generator=generator, dtype=ends.dtype) * ends[-1]
    return int(tokens[min(int(torch.searchsorted(ends, number, right=True)), len(tokens) - 1)])


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    if max_new_tokens == 0:
        return []
    logits, cache = cached_forward(model, prompt, None)
    result = []
    for number in range(max_new_tokens):
        if number:
            logits, cache = cached_forward(model, result[-1:], cache)
        if temperature == 0:
            result.append(int(logits[-1].argmax()))
        else:
            result.append(pick(distribution(logits[-1], temperature, top_k, top_p), generator))
    return result


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=1.0, generator=None):
    stats = {"proposed": 0, "accepted": 0, "target_calls": 0}
    text = list(prompt)
    wanted = len(prompt) + max_new_tokens
    of_target, of_draft = Buffers.empty(target), Buffers.empty(draft)
    if max_new_tokens and len(prompt) > 1:  # all but the last token, whose logits are the first that are needed
        cached_forward(target, prompt[:-1], of_target)
    while len(text) < wanted:
        guesses, qs = propose(draft, of_draft, text, min(gamma, wanted - len(text) - 1), temperature, generator)
        logits, _ = cached_forward(target, text[of_target.length :] + guesses, of_target)
        logits = logits[len(logits) - len(guesses) - 1 :]
        if temperature == 0:
            best = logits.argmax(-1).tolist()
            good = next((i for i, guess in enumerate(guesses) if guess != best[i]), len(guesses))
            new = best[good]
        else:
            good, new = judge(logits, guesses, qs, temperature, generator)
        text += [*guesses[:good], new]
        stats["proposed"] += len(guesses)
        stats["accepted"] += good
        stats["target_calls"] += 1
        of_target.length = len(text) - 1
        of_draft.length = min(of_draft.length, len(text) - 1)
    return text[len(prompt) :], stats


def propose(draft, cache, text, count, temperature, generator):
    guesses, qs = [], []
    while len(guesses) < count:
        logits, _ = cached_forward(draft, (text + guesses)[cache.length :], cache)
        if temperature == 0:
            guesses.append(int(logits[-1].argmax()))
        else:
            qs.append(distribution(logits[-1], temperature))
            guesses.append(pick(qs[-1], generator))
    return guesses, qs


def judge(logits, guesses, qs, temperature, generator):
    for i, (guess, q) in enumerate(zip(guesses, qs, strict=True)):
        p = distribution(logits[i], temperature)
        chance = min(1.0, float(p[guess] / q[guess]))
        if float(torch.rand(1, generator=generator, dtype=torch.float64)) >= chance:
            left = torch.relu(p - q)
            return i, pick(left / left.sum(), generator)
    return len(guesses), pick(distribution(logits[-1], temperature), generator)
