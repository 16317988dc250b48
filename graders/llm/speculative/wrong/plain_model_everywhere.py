# fails: only_new_tokens   diagnosis: past-recomputed
"""Calls the plain model wherever it can."""

import torch


def cached_forward(model, tokens, cache):
    text = [*(cache or []), *tokens]
    return model.forward(text)[-len(tokens) :], text


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    text = list(prompt)
    for _ in range(max_new_tokens):
        logits = model.forward(text)[-1]
        if temperature == 0:
            text.append(logits.argmax().item())
        else:
            text.append(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).item())
    return text[len(prompt) :]


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=1.0, generator=None):
    tokens = generate(target, prompt, max_new_tokens, temperature, generator=generator)
    return tokens, {"proposed": 0, "accepted": 0, "target_calls": max_new_tokens}
