"""One row per program, and tiles in groups that share what the cache holds; tuned where there is something to tune."""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, y_ptr, stride_xm, stride_xn, stride_ym, stride_yn, N, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < N
    # -inf is neutral for the maximum, and its exponential for the sum
    x = tl.load(x_ptr + row * stride_xm + columns * stride_xn, mask=inside, other=-float("inf")).to(tl.float32)
    numerator = tl.exp(x - tl.max(x, axis=0))
    y = numerator / tl.sum(numerator, axis=0)
    tl.store(y_ptr + row * stride_ym + columns * stride_yn, y.to(y_ptr.dtype.element_ty), mask=inside)


def softmax(x):
    M, N = x.shape
    y = torch.empty((M, N), dtype=x.dtype, device=x.device)
    block = triton.next_power_of_2(N)
    warps = min(max(block // 256, 1), 16)
    softmax_kernel[(M,)](x, y, *x.stride(), *y.stride(), N, BLOCK=block, num_warps=warps)
    return y


CONFIGURATIONS = [
    triton.Config({"BM": 64, "BN": 64, "BK": 32, "GROUP": 8}, num_warps=4, num_stages=4),
    triton.Config({"BM": 128, "BN": 128, "BK": 32, "GROUP": 8}, num_warps=4, num_stages=4),
    triton.Config({"BM": 128, "BN": 128, "BK": 64, "GROUP": 8}, num_warps=8, num_stages=3),
    triton.Config({"BM": 128, "BN": 256, "BK": 64, "GROUP": 8}, num_warps=8, num_stages=3),
    triton.Config({"BM": 128, "BN": 64, "BK": 64, "GROUP": 8}, num_warps=4, num_stages=4),
]


@triton.autotune(CONFIGURATIONS, key=["M", "N", "K"])
@triton.jit
def matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    stride_am,
    stride_ak,
    stride_bk,
    stride_bn,
    stride_cm,
    stride_cn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    GROUP: tl.constexpr,
):
    # GROUP rows of tiles are made together, column by column, so that neighbours in time read the same tiles of b
    tiles_m, tiles_n = tl.cdiv(M, BM), tl.cdiv(N, BN)
    program = tl.program_id(0)
    group = program // (GROUP * tiles_n)
    first = group * GROUP
    height = min(tiles_m - first, GROUP)
    tile_m = first + (program % (GROUP * tiles_n)) % height
    tile_n = (program % (GROUP * tiles_n)) // height

    m = tile_m * BM + tl.arange(0, BM)
    n = tile_n * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    a_tile = a_ptr + m[:, None] * stride_am + k[None, :] * stride_ak
    b_tile = b_ptr + k[:, None] * stride_bk + n[None, :] * stride_bn
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(tl.cdiv(K, BK)):
        left = K - step * BK
        a = tl.load(a_tile, mask=(m[:, None] < M) & (k[None, :] < left), other=0.0)
        b = tl.load(b_tile, mask=(k[:, None] < left) & (n[None, :] < N), other=0.0)
        total = tl.dot(a, b, total)
        a_tile += BK * stride_ak
        b_tile += BK * stride_bk
    inside = (m[:, None] < M) & (n[None, :] < N)
    tl.store(c_ptr + m[:, None] * stride_cm + n[None, :] * stride_cn, total.to(c_ptr.dtype.element_ty), mask=inside)


def matmul(a, b):
    (M, K), (_, N) = a.shape, b.shape
    c = torch.empty((M, N), dtype=a.dtype, device=a.device)

    def grid(chosen):
        return (triton.cdiv(M, chosen["BM"]) * triton.cdiv(N, chosen["BN"]),)

    matmul_kernel[grid](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride())
    return c


def roofline(flops, bytes_moved, seconds, peak_flops, peak_bandwidth):
    intensity = flops / bytes_moved
    attainable = min(peak_flops, intensity * peak_bandwidth)
    achieved = flops / seconds
    return {
        "intensity": intensity,
        "attainable": attainable,
        "achieved": achieved,
        "fraction_of_roof": achieved / attainable,
        "bound": "compute" if intensity * peak_bandwidth >= peak_flops else "memory",
    }


def softmax_cost(M, N, bytes_per_element):
    return {"flops": 5 * M * N, "bytes_moved": 2 * M * N * bytes_per_element}


def matmul_cost(M, N, K, bytes_per_element):
    return {"flops": 2 * M * N * K, "bytes_moved": (M * K + K * N + M * N) * bytes_per_element}
