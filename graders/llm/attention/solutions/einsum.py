"""The same in einsum, with a frozen dataclass as cache and postponed annotations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, einsum


@dataclass(frozen=True)
class Cache:
    x: Tensor
    w_qkv: Tensor
    w_out: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    p: Tensor
    z: Tensor

    @property
    def scale(self) -> float:
        return float(self.q.shape[-1] ** -0.5)


def attention_forward(
    x: Tensor, w_qkv: Tensor, b_qkv: Tensor, w_out: Tensor, b_out: Tensor, n_heads: int
) -> tuple[Tensor, Cache]:
    _, t, c = x.shape
    d = c // n_heads
    w = w_qkv.reshape(c, 3, n_heads, d)
    qkv = einsum("btc,cjhd->jbthd", x, w) + b_qkv.reshape(3, 1, 1, n_heads, d)
    q, k, v = qkv.unbind(0)
    # the scale goes on the queries here: fewer products, same scores
    s = einsum("bihd,bjhd->bhij", q * d**-0.5, k)
    s = torch.where(torch.ones(t, t).tril() > 0, s, torch.tensor(-torch.inf))
    p = (s - s.logsumexp(-1, keepdim=True)).exp()
    z = einsum("bhij,bjhd->bihd", p, v)
    y = einsum("bihd,hdo->bio", z, w_out.reshape(n_heads, d, c)) + b_out
    return y, Cache(x=x, w_qkv=w_qkv, w_out=w_out, q=q, k=k, v=v, p=p, z=z)


def attention_backward(dy: Tensor, cache: Cache) -> dict[str, Tensor]:
    h, d = cache.q.shape[2:]
    c = h * d
    dz = einsum("bio,hdo->bihd", dy, cache.w_out.reshape(h, d, c))
    dv = einsum("bhij,bihd->bjhd", cache.p, dz)
    dp = einsum("bihd,bjhd->bhij", dz, cache.v)
    jacobian = torch.diag_embed(cache.p) - einsum("bhij,bhik->bhijk", cache.p, cache.p)
    ds = einsum("bhijk,bhik->bhij", jacobian, dp) * cache.scale
    dq = einsum("bhij,bjhd->bihd", ds, cache.k)
    dk = einsum("bhij,bihd->bjhd", ds, cache.q)
    dqkv = torch.stack((dq, dk, dv))
    w = cache.w_qkv.reshape(c, 3, h, d)
    return {
        "b_out": einsum("bio->o", dy),
        "w_out": einsum("bihd,bio->hdo", cache.z, dy).reshape(c, c),
        "b_qkv": einsum("jbthd->jhd", dqkv).reshape(3 * c),
        "w_qkv": einsum("btc,jbthd->cjhd", cache.x, dqkv).reshape(c, 3 * c),
        "x": einsum("jbthd,cjhd->btc", dqkv, w),
    }
