# fails: generator_decides   diagnosis: none
"""Speculates at temperature 0.7 where none is asked for."""

import torch
from torch.nn import functional


def cached_forward(model, tokens, cache):
    """cache: for each layer its keys and values so far, (H, T, D) each."""
    config, w = model.config, model.weights
    size = config.width // config.n_heads
    past = 0 if cache is None else cache[0][0].shape[1]
    total = past + len(tokens)
    hidden = None
    if len(tokens) > 1:
        hidden = torch.ones(len(tokens), total, dtype=torch.bool).triu(past + 1)
    x = w["token_embedding"][torch.tensor(tokens)] + w["position_embedding"][past:total]
    kept = []
    for index in range(config.n_layers):
        layer = f"layer.{index}."
        qkv = torch.addmm(w[layer + "b_qkv"], normalized(x, w, layer + "norm_1"), w[layer + "w_qkv"])
        q, k, v = qkv.view(len(tokens), 3, config.n_heads, size).permute(1, 2, 0, 3).unbind()
        if cache is not None:
            k, v = torch.cat((cache[index][0], k), dim=1), torch.cat((cache[index][1], v), dim=1)
        kept.append((k, v))
        scores = q @ k.transpose(1, 2) * size**-0.5
        if hidden is not None:
            scores = scores.masked_fill(hidden, float("-inf"))
        z = (scores.softmax(dim=-1) @ v).transpose(0, 1).reshape(len(tokens), config.width)
        x = x + torch.addmm(w[layer + "b_out"], z, w[layer + "w_out"])
        up = torch.addmm(w[layer + "b_up"], normalized(x, w, layer + "norm_2"), w[layer + "w_up"])
        x = x + torch.addmm(w[layer + "b_down"], functional.gelu(up, approximate="tanh"), w[layer + "w_down"])
    return normalized(x, w, "norm") @ w["head"], kept


def normalized(x, w, name):
    return functional.layer_norm(x, x.shape[-1:], w[name + ".gain"], w[name + ".bias"], eps=1e-5)


def rolled_back(cache, length):
    return [(k[:, :length], v[:, :length]) for k, v in cache]


def probabilities(logits, temperature, top_k=None, top_p=None):
    """The distribution that is sampled from; at temperature 0 all of it is on the likeliest token."""
    if temperature == 0:
        return functional.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.topk(top_k).values[..., -1:], float("-inf"))
    p = logits.softmax(dim=-1)
    if top_p is not None and top_p < 1:
        ordered, order = p.sort(dim=-1, descending=True)
        before = ordered.cumsum(dim=-1) - ordered
        p = p.masked_fill((before >= top_p).gather(-1, order.argsort(dim=-1)), 0.0)
        p = p / p.sum(dim=-1, keepdim=True)
    return p


def draw(p, generator):
    return torch.multinomial(p, 1, generator=generator).item()


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    made, cache, new = [], None, list(prompt)
    while len(made) < max_new_tokens:
        logits, cache = cached_forward(model, new, cache)
        new = [draw(probabilities(logits[-1], temperature, top_k, top_p), generator)]
        made += new
    return made


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=0.7, generator=None):
    tokens, end = list(prompt), len(prompt) + max_new_tokens
    stats = {"proposed": 0, "accepted": 0, "target_calls": 0}
    # each cache holds the first so many of the tokens
    target_cache, draft_cache, in_target, in_draft = None, None, 0, 0
    while len(tokens) < end:
        count = min(gamma, end - len(tokens) - 1)
        guessed, q = list(tokens), []
        for _ in range(count):
            logits, draft_cache = cached_forward(draft, guessed[in_draft:], draft_cache)
            in_draft = len(guessed)
            q.append(probabilities(logits[-1], temperature))
            guessed.append(draw(q[-1], generator))
        logits, target_cache = cached_forward(target, guessed[in_target:], target_cache)
        p = probabilities(logits[-count - 1 :], temperature)
        accepted = 0
        while accepted < count:
            token = guessed[len(tokens) + accepted]
            if torch.rand((), generator=generator) * q[accepted][token] >= p[accepted][token]:
                break
            accepted += 1
        last = p[accepted]
        if accepted < count:
            last = (last - q[accepted]).clamp(min=0)
            last = last / last.sum()
        kept = len(tokens) + accepted
        tokens = [*guessed[:kept], draw(last, generator)]
        target_cache, in_target = rolled_back(target_cache, kept), kept
        if in_draft > kept:
            draft_cache, in_draft = rolled_back(draft_cache, kept), kept
        stats["proposed"] += count
        stats["accepted"] += accepted
        stats["target_calls"] += 1
    return tokens[len(prompt) :], stats
