"""Keys in chunks with a running maximum and a running sum; the weights are computed again on the way back."""

import torch

CHUNK = 4


class Saved:
    __slots__ = ("inputs", "log_sums", "merged", "n_heads")

    def __init__(self, inputs, n_heads, merged, log_sums):
        self.inputs, self.n_heads, self.merged, self.log_sums = inputs, n_heads, merged, log_sums


@torch.no_grad()
def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    q, k, v = _project(x, w_qkv, b_qkv, n_heads)
    length = x.shape[1]
    top = torch.full_like(q[..., :1], -torch.inf)  # the largest score of each query so far
    total = torch.zeros_like(top)
    attended = torch.zeros_like(q)
    for start in range(0, length, CHUNK):
        scores = _scores(q, k, start)
        new_top = torch.maximum(top, scores.amax(-1, keepdim=True))
        # a query may not have met a key yet: -inf minus -inf must not become NaN
        safe_top = new_top.masked_fill(new_top.isneginf(), 0.0)
        powers = (scores - safe_top).exp_()
        shrink = (top - safe_top).exp_()
        total.mul_(shrink).add_(powers.sum(-1, keepdim=True))
        attended.mul_(shrink).add_(powers @ v[..., start : start + CHUNK, :])
        top = new_top
    merged = _merge(attended / total)
    return merged @ w_out + b_out, Saved((x, w_qkv, b_qkv, w_out), n_heads, merged, top + total.log())


@torch.no_grad()
def attention_backward(dy, cache):
    x, w_qkv, b_qkv, w_out = cache.inputs
    q, k, v = _project(x, w_qkv, b_qkv, cache.n_heads)
    d_merged = dy @ w_out.mT
    dz = _split(d_merged, cache.n_heads)
    z = _split(cache.merged, cache.n_heads)
    delta = (dz * z).sum(-1, keepdim=True)  # the row sum of weights * d_weights, without either
    dq, dk, dv = torch.zeros_like(q), torch.empty_like(k), torch.empty_like(v)
    for start in range(0, x.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        weights = torch.exp(_scores(q, k, start) - cache.log_sums)
        dv[..., part, :] = weights.mT @ dz
        d_scores = weights * (dz @ v[..., part, :].mT - delta) * q.shape[-1] ** -0.5
        dq += d_scores @ k[..., part, :]
        dk[..., part, :] = d_scores.mT @ q
    d_qkv = torch.cat([_merge(dq), _merge(dk), _merge(dv)], -1)
    return {
        "x": d_qkv @ w_qkv.mT,
        "w_qkv": torch.tensordot(x, d_qkv, dims=([0, 1], [0, 1])),
        "b_qkv": d_qkv.sum((0, 1)),
        "w_out": torch.tensordot(cache.merged, dy, dims=([0, 1], [0, 1])),
        "b_out": dy.sum((0, 1)),
    }


def _project(x, w_qkv, b_qkv, n_heads):
    return tuple(_split(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, -1))


def _split(channels, n_heads):
    return channels.unflatten(-1, (n_heads, -1)).transpose(1, 2).contiguous()


def _merge(heads):
    return heads.transpose(1, 2).flatten(2)


def _scores(q, k, start):
    """Scaled scores of every query against one chunk of keys, the future at minus infinity."""
    length = q.shape[-2]
    chunk = k[..., start : start + CHUNK, :]
    scores = q @ chunk.mT / q.shape[-1] ** 0.5
    queries, keys = torch.arange(length)[:, None], start + torch.arange(chunk.shape[-2])
    return scores.masked_fill_(keys > queries, -torch.inf)
