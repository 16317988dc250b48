# fails: conv2d   diagnosis: part-never-stored   over: per_task
"""Has one block of 64 for the channels that go out, however many there are."""

import importlib

import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(
    x_ptr, w_ptr, b_ptr, y_ptr,
    B, C, H, W, F, OH, OW, SH, SW, PH, PW, KH, KW,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * BM + tl.arange(0, BM)
    out = tl.program_id(1) * BN + tl.arange(0, BN)
    item, oh, ow = pixel // (OH * OW), pixel // OW % OH, pixel % OW
    K = C * KH * KW
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        c, i, j = k // (KH * KW), k // KW % KH, k % KW
        h = oh[:, None] * SH - PH + i[None, :]
        w = ow[:, None] * SW - PW + j[None, :]
        seen = (item[:, None] < B) & (k[None, :] < K) & (h >= 0) & (h < H) & (w >= 0) & (w < W)
        x = tl.load(x_ptr + ((item[:, None] * C + c[None, :]) * H + h) * W + w, mask=seen, other=0.0)
        weight = tl.load(w_ptr + out[None, :] * K + k[:, None], mask=(out[None, :] < F) & (k[:, None] < K), other=0.0)
        acc += tl.dot(x, weight, input_precision="ieee")
    acc += tl.load(b_ptr + out, mask=out < F, other=0.0)[None, :]
    y = ((item[:, None] * F + out[None, :]) * OH + oh[:, None]) * OW + ow[:, None]
    tl.store(y_ptr + y, acc, mask=(item[:, None] < B) & (out[None, :] < F))


class ModelNew(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride, padding):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)

    def forward(self, x):
        B, C, H, W = x.shape
        F, _, KH, KW = self.conv.weight.shape
        (SH, SW), (PH, PW) = self.conv.stride, self.conv.padding
        OH, OW = (H + 2 * PH - KH) // SH + 1, (W + 2 * PW - KW) // SW + 1
        y = x.new_empty((B, F, OH, OW))
        grid = (triton.cdiv(B * OH * OW, 64), 1)
        sizes = (B, C, H, W, F, OH, OW, SH, SW, PH, PW, KH, KW)
        kernel[grid](x, self.conv.weight, self.conv.bias, y, *sizes, BM=64, BN=64, BK=32)
        return y


def model_new(task):
    return ModelNew if task == "conv2d" else importlib.import_module(f"solutions.{task}").ModelNew
