"""Several rows per program, and block pointers, which know the edges and need no masks."""

import warnings
from dataclasses import asdict, dataclass

import triton
import triton.language as tl

warnings.filterwarnings("ignore", message="tl.make_block_ptr is deprecated")


@triton.jit
def _softmax(x, y, M, N, xm, xn, ym, yn, ROWS: tl.constexpr, COLS: tl.constexpr):
    first = tl.program_id(0) * ROWS
    source = tl.make_block_ptr(x, (M, N), (xm, xn), (first, 0), (ROWS, COLS), (1, 0))
    target = tl.make_block_ptr(y, (M, N), (ym, yn), (first, 0), (ROWS, COLS), (1, 0))
    values = tl.load(source, boundary_check=(0, 1)).to(tl.float32)
    # a block pointer pads with zeros, which are not neutral here
    inside = tl.arange(0, COLS)[None, :] < N
    highest = tl.max(tl.where(inside, values, float("-inf")), axis=1)
    weights = tl.where(inside, tl.exp2((values - highest[:, None]) * 1.4426950408889634), 0.0)
    tl.store(target, (weights / tl.sum(weights, axis=1)[:, None]).to(y.dtype.element_ty), boundary_check=(0, 1))


def softmax(x):
    (M, N), columns = x.shape, triton.next_power_of_2(x.shape[1])
    rows = max(1, 4096 // columns)
    y = x.new_empty(M, N)
    _softmax[(triton.cdiv(M, rows),)](x, y, M, N, *x.stride(), *y.stride(), ROWS=rows, COLS=columns)
    return y


@triton.jit
def _matmul(a, b, c, M, N, K, am, ak, bk, bn, cm, cn, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m, n = tl.program_id(1) * BM, tl.program_id(0) * BN
    a_block = tl.make_block_ptr(a, (M, K), (am, ak), (m, 0), (BM, BK), (1, 0))
    b_block = tl.make_block_ptr(b, (K, N), (bk, bn), (0, n), (BK, BN), (1, 0))
    c_block = tl.make_block_ptr(c, (M, N), (cm, cn), (m, n), (BM, BN), (1, 0))
    accumulator = tl.zeros((BM, BN), tl.float32)
    for _ in tl.range(0, K, BK):
        left = tl.load(a_block, boundary_check=(0, 1), padding_option="zero")
        right = tl.load(b_block, boundary_check=(0, 1), padding_option="zero")
        accumulator += tl.dot(left, right)
        a_block = tl.advance(a_block, (0, BK))
        b_block = tl.advance(b_block, (BK, 0))
    tl.store(c_block, accumulator.to(c.dtype.element_ty), boundary_check=(0, 1))


def matmul(a, b):
    M, N, K = a.size(0), b.size(1), a.size(1)
    c = a.new_zeros((M, N))
    tile = {"BM": 128, "BN": 128, "BK": 32} if min(M, N) > 64 else {"BM": 32, "BN": 32, "BK": 64}
    grid = (triton.cdiv(N, tile["BN"]), triton.cdiv(M, tile["BM"]))
    _matmul[grid](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride(), **tile, num_warps=8)
    return c


@dataclass(frozen=True)
class Roofline:
    intensity: float
    attainable: float
    achieved: float
    fraction_of_roof: float
    bound: str


def roofline(flops, bytes_moved, seconds, peak_flops, peak_bandwidth):
    ridge = peak_flops / peak_bandwidth
    intensity = flops / bytes_moved
    if intensity < ridge:
        attainable, bound = intensity * peak_bandwidth, "memory"
    else:
        attainable, bound = peak_flops, "compute"
    best = flops / attainable
    return asdict(Roofline(intensity, attainable, flops / seconds, best / seconds, bound))


def softmax_cost(M, N, bytes_per_element):
    elements = M * N
    return {"flops": 5 * elements, "bytes_moved": elements * bytes_per_element * 2}


def matmul_cost(M, N, K, bytes_per_element):
    return {"flops": 2.0 * M * N * K, "bytes_moved": 1.0 * bytes_per_element * (K * (M + N) + M * N)}
