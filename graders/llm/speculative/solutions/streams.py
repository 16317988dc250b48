"""Readers that follow a growing text and can be taken back, attention by einsum, sampling by races in log space."""

import torch
import torch.nn.functional as F


class Memory:
    """One layer: what has been read so far, (T, H, D) each."""

    __slots__ = ("k", "v")

    def __init__(self, k=None, v=None):
        self.k, self.v = k, v

    def grown(self, k, v):
        if self.k is None:
            return Memory(k, v)
        return Memory(torch.cat([self.k, k]), torch.cat([self.v, v]))

    def first(self, count):
        return Memory(self.k[:count], self.v[:count])


def cached_forward(model, tokens, cache):
    cfg = model.config
    memories = [Memory() for _ in range(cfg.n_layers)] if cache is None else cache
    seen = 0 if cache is None else len(cache[0].k)
    count = len(tokens)

    def weight(name):
        return model.weights[name]

    def norm(x, name):
        return F.layer_norm(x, (cfg.width,), weight(name + ".gain"), weight(name + ".bias"))

    rows = F.embedding(torch.as_tensor(tokens, dtype=torch.long), weight("token_embedding"))
    x = rows + weight("position_embedding").narrow(0, seen, count)
    allowed = torch.tril(torch.ones(count, seen + count), diagonal=seen).bool()
    after = []
    for number, memory in enumerate(memories):
        at = f"layer.{number}."
        joined = F.linear(norm(x, at + "norm_1"), weight(at + "w_qkv").T, weight(at + "b_qkv"))
        q, k, v = (part.unflatten(-1, (cfg.n_heads, -1)) for part in joined.split(cfg.width, dim=-1))
        memory = memory.grown(k, v)
        scores = torch.einsum("qhd,khd->hqk", q, memory.k) * (cfg.width / cfg.n_heads) ** -0.5
        shares = torch.softmax(scores + torch.zeros_like(scores).masked_fill(~allowed, -torch.inf), -1)
        mixed = torch.einsum("hqk,khd->qhd", shares, memory.v).flatten(1)
        x = x + F.linear(mixed, weight(at + "w_out").T, weight(at + "b_out"))
        up = F.gelu(F.linear(norm(x, at + "norm_2"), weight(at + "w_up").T, weight(at + "b_up")), approximate="tanh")
        x = x + F.linear(up, weight(at + "w_down").T, weight(at + "b_down"))
        after.append(memory)
    return norm(x, "norm") @ weight("head"), after


class Reader:
    """A model with a cache that follows a growing text and can be taken back."""

    def __init__(self, model):
        self.model, self.cache, self.length = model, None, 0

    def read(self, text):
        """Logits of all the tokens of the text that were not read before."""
        logits, self.cache = cached_forward(self.model, text[self.length :], self.cache)
        self.length = len(text)
        return logits

    def back_to(self, length):
        if self.length > length:
            self.cache = [memory.first(length) for memory in self.cache]
            self.length = length


def log_chances(logits, temperature):
    if temperature == 0:
        best = logits.argmax(-1, keepdim=True)
        return torch.full_like(logits, -torch.inf).scatter(-1, best, 0.0)
    return torch.log_softmax(logits / temperature, -1)


def cut(logp, top_k, top_p):
    if top_k is not None:
        worst = logp.sort(descending=True).values[min(top_k, len(logp)) - 1]
        logp = logp.where(logp >= worst, -torch.inf).log_softmax(-1)
    if top_p is not None:
        values, order = logp.exp().sort(descending=True, stable=True)
        enough = int((values.cumsum(0) < top_p).sum()) + 1
        keep = torch.zeros(len(logp), dtype=torch.bool)
        keep[order[:enough]] = True
        logp = logp.where(keep, -torch.inf)
    return logp


def race(logp, generator):
    """The token whose exponential clock rings first is drawn with the chances that are wanted."""
    clocks = torch.empty_like(logp).exponential_(generator=generator)
    return (logp - clocks.log()).argmax().item()


def generate(model, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, generator=None):
    reader, text = Reader(model), [*prompt]
    for _ in range(max_new_tokens):
        logp = log_chances(reader.read(text)[-1], temperature)
        if temperature > 0:
            logp = cut(logp, top_k, top_p)
        text.append(race(logp, generator))
    return text[len(prompt) :]


def speculative_generate(target, draft, prompt, max_new_tokens, gamma, temperature=1.0, generator=None):
    big, small = Reader(target), Reader(draft)
    text, final = [*prompt], len(prompt) + max_new_tokens
    proposed = accepted = calls = 0
    while len(text) < final:
        ahead, guesses = [*text], []
        for _ in range(min(gamma, final - len(text) - 1)):
            guesses.append(log_chances(small.read(ahead)[-1], temperature))
            ahead.append(race(guesses[-1], generator))
        verdicts = log_chances(big.read(ahead)[-1 - len(guesses) :], temperature)
        kept = len(text)
        for own, theirs in zip(verdicts, guesses, strict=False):
            token = ahead[kept]
            chance = (own[token] - theirs[token]).exp()
            if torch.rand((), generator=generator) >= chance:
                rest = (own.exp() - theirs.exp()).clamp_min(0)
                ending = race(rest.log(), generator)
                break
            kept += 1
        else:
            ending = race(verdicts[-1], generator)
        proposed += len(guesses)
        accepted += kept - len(text)
        calls += 1
        text = [*ahead[:kept], ending]
        for reader in (big, small):
            reader.back_to(kept)
    return text[len(prompt) :], {"target_calls": calls, "proposed": proposed, "accepted": accepted}
