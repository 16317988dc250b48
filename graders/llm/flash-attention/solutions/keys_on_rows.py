"""Everything transposed, in a class: keys run down, queries across. Inputs are padded, so that no load needs a mask."""

import torch
import torch.nn.functional as F
import triton
from triton import language as tl


class FlashAttention:
    """Attention over whole blocks of 16 keys and 64 queries."""

    QUERIES, KEYS = 64, 16

    def __init__(self, causal):
        self.causal = causal

    def __call__(self, q, k, v):
        *lead, length, size = q.shape
        padded = triton.cdiv(length, self.QUERIES) * self.QUERIES
        q, k, v = (F.pad(x, (0, 0, 0, padded - length)).reshape(-1, padded, size) for x in (q, k, v))
        o = torch.empty(q.shape, dtype=torch.float32, device=q.device)
        grid = (q.shape[0], padded // self.QUERIES)
        self.kernel[grid](q, k, v, o, length, padded, size**-0.5, self.causal, size, self.QUERIES, self.KEYS)
        return o[:, :length].to(v.dtype).reshape(*lead, length, size)

    @staticmethod
    @triton.jit
    def kernel(
        q, k, v, o, length, padded, scale, causal: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr
    ):
        head = tl.program_id(0) * padded * D
        first = tl.program_id(1) * M
        channel = tl.arange(0, D)
        query = first + tl.arange(0, M)
        block = head + tl.arange(0, N)[:, None] * D + channel[None, :]
        across = head + channel[:, None] + query[None, :] * D  # (D, M)
        q_t = tl.load(q + across)
        top = tl.full([M], -float("inf"), tl.float32)
        total = tl.full([M], 0.0, tl.float32)
        sums = tl.full([D, M], 0.0, tl.float32)
        end = min(first + M, length) if causal else length
        for start in tl.range(0, end, N):
            key = (start + tl.arange(0, N))[:, None]
            scores = tl.dot(tl.load(k + block + start * D), q_t, input_precision="ieee") * scale  # (N, M)
            hidden = key >= length
            if causal:
                hidden = hidden | (key > query[None, :])
            scores = tl.where(hidden, -float("inf"), scores)
            higher = tl.maximum(top, tl.max(scores, axis=0))
            powers = tl.exp(scores - higher[None, :])
            values = tl.load(v + block + start * D)
            fade = tl.exp(top - higher)
            total = total * fade + tl.sum(powers, axis=0)
            sums = sums * fade[None, :] + tl.dot(tl.trans(values), powers.to(values.dtype), input_precision="ieee")
            top = higher
        tl.store(o + across, sums / total[None, :])


def flash_attention(q, k, v, causal=True):
    return FlashAttention(causal)(q, k, v)


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    _, length, width = x.shape
    outputs = []
    for item in x:
        parts = (item @ w_qkv + b_qkv).reshape(length, 3, n_heads, width // n_heads)
        q, k, v = parts.permute(1, 2, 0, 3)[:, None]
        outputs.append(flash_attention(q, k, v)[0].movedim(0, 1).reshape(length, width) @ w_out + b_out)
    return torch.stack(outputs)
