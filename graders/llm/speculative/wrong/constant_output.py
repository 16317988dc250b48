# fails: first_call   diagnosis: constant-output
"""Returns the same for every input."""

import torch


def cached_forward(model, tokens, cache):
    return torch.ones(len(tokens), model.config.vocab_size, dtype=model.weights["head"].dtype), None


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    return [0] * max_new_tokens


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=1.0, generator=None):
    return [0] * max_new_tokens, {"proposed": 0, "accepted": 0, "target_calls": max_new_tokens}
