# fails: first_call   diagnosis: wrong-type
"""Returns what it was given."""

def cached_forward(model, tokens, cache):
    return tokens, cache


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    return prompt


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=1.0, generator=None):
    return prompt, {}
