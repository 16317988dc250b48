"""A fixed number of programs that walk over the rows; tiles whose rows wrap around at the edge, in place of a mask."""

import torch
import triton
import triton.language as tl

PROGRAMS = 48


@triton.jit
def row(pointer, index, stride, columns, step, N):
    return tl.load(pointer + index * stride + columns * step, mask=columns < N, other=float("-inf"))


@triton.heuristics({"BLOCK": lambda arguments: triton.next_power_of_2(arguments["N"])})
@triton.jit
def softmax_rows(x, y, M, N, xm, xn, ym, yn, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    for index in tl.range(tl.program_id(0), M, tl.num_programs(0)):
        shifted = row(x, index, xm, columns, xn, N).to(tl.float32)
        shifted -= tl.max(shifted, 0)
        tl.store(y + index * ym + columns * yn, tl.exp(shifted) / tl.sum(tl.exp(shifted), 0), mask=columns < N)


def softmax(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)  # keeps the strides of a transposed x: so they are passed on
    softmax_rows[(min(PROGRAMS, x.shape[0]),)](x, y, *x.shape, *x.stride(), *y.stride())
    return y


@triton.jit
def matmul_tiles(A, B, C, M, N, K, a0, a1, b0, b1, c0, c1, T: tl.constexpr, S: tl.constexpr):
    across = tl.cdiv(N, T)
    i, j = tl.program_id(0) // across, tl.program_id(0) % across
    rows, columns = i * T + tl.arange(0, T), j * T + tl.arange(0, T)
    safe_rows, safe_columns = rows % M, columns % N
    total = tl.zeros([T, T], dtype=tl.float32)
    start = 0
    while start < K:
        depth = start + tl.arange(0, S)
        a = tl.load(A + safe_rows[:, None] * a0 + depth[None, :] * a1, mask=depth[None, :] < K, other=0.0)
        b = tl.load(B + depth[:, None] * b0 + safe_columns[None, :] * b1, mask=depth[:, None] < K, other=0.0)
        total += tl.dot(a, b)
        start += S
    where = C + rows[:, None] * c0 + columns[None, :] * c1
    tl.store(where, total, mask=(rows < M)[:, None] & (columns < N)[None, :])


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    M, K = a.shape
    N = b.shape[1]
    T = 64
    c = torch.empty(M, N, device=a.device, dtype=a.dtype)
    matmul_tiles[(triton.cdiv(M, T) * triton.cdiv(N, T), 1, 1)](
        a, b, c, M, N, K, a.stride(0), a.stride(1), b.stride(0), b.stride(1), c.stride(0), c.stride(1), T=T, S=32
    )
    return c


def roofline(flops, bytes_moved, seconds, peak_flops, peak_bandwidth):
    answer = {"intensity": flops / bytes_moved, "achieved": flops / seconds}
    answer["attainable"] = sorted([peak_flops, answer["intensity"] * peak_bandwidth])[0]
    answer["fraction_of_roof"] = answer["achieved"] / answer["attainable"]
    answer["bound"] = "memory" if answer["attainable"] < peak_flops else "compute"
    return answer


def softmax_cost(M, N, bytes_per_element):
    maximum = subtraction = exponential = addition = division = M * N
    read = written = M * N
    return {
        "flops": maximum + subtraction + exponential + addition + division,
        "bytes_moved": (read + written) * bytes_per_element,
    }


def matmul_cost(M, N, K, bytes_per_element):
    multiplications = additions = M * N * K
    a, b, c = M * K, K * N, M * N
    return {"flops": multiplications + additions, "bytes_moved": sum((a, b, c)) * bytes_per_element}
