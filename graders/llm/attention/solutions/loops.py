"""One head of one batch item at a time, one query at a time; nothing is looked at that the mask would hide."""

import torch


def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    size = width // n_heads
    merged = torch.zeros_like(x)
    rows = {}  # (batch item, head, position) -> the weights of the positions up to and including it
    for b in range(batch):
        qkv = x[b] @ w_qkv
        qkv += b_qkv
        for h in range(n_heads):
            q, k, v = _head(qkv, h, size, width)
            for t in range(length):
                scores = k[: t + 1] @ q[t] / size**0.5
                powers = torch.exp(scores - scores.max())
                rows[b, h, t] = powers / powers.sum()
                merged[b, t, h * size : (h + 1) * size] = rows[b, h, t] @ v[: t + 1]
    y = torch.empty_like(x)
    for b in range(batch):
        y[b] = torch.addmm(b_out, merged[b], w_out)
    return y, [x, w_qkv, b_qkv, w_out, merged, rows, n_heads]


def attention_backward(dy, cache):
    x, w_qkv, b_qkv, w_out, merged, rows, n_heads = cache
    batch, length, width = x.shape
    size = width // n_heads
    grads = {
        "x": torch.zeros_like(x),
        "w_qkv": torch.zeros_like(w_qkv),
        "b_qkv": torch.zeros_like(b_qkv),
        "w_out": torch.zeros_like(w_out),
        "b_out": torch.zeros_like(b_qkv[:width]),
    }
    for b in range(batch):
        qkv = x[b] @ w_qkv + b_qkv
        grads["w_out"] += merged[b].T @ dy[b]
        grads["b_out"] += dy[b].sum(0)
        d_merged = dy[b] @ w_out.T
        d_qkv = torch.zeros_like(qkv)
        for h in range(n_heads):
            q, k, v = _head(qkv, h, size, width)
            dq, dk, dv = _head(d_qkv, h, size, width)  # views: writing here writes into d_qkv
            for t in range(length):
                weights = rows[b, h, t]
                dz = d_merged[t, h * size : (h + 1) * size]
                dv[: t + 1] += torch.outer(weights, dz)
                d_weights = v[: t + 1] @ dz
                d_scores = weights * (d_weights - weights @ d_weights) / size**0.5
                dq[t] += d_scores @ k[: t + 1]
                dk[: t + 1] += torch.outer(d_scores, q[t])
        grads["w_qkv"] += x[b].T @ d_qkv
        grads["b_qkv"] += d_qkv.sum(0)
        grads["x"][b] = d_qkv @ w_qkv.T
    return grads


def _head(qkv, h, size, width):
    """The q, k and v channels of head h, as views."""
    return [qkv[:, start + h * size : start + (h + 1) * size] for start in (0, width, 2 * width)]
