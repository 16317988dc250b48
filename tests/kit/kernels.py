"""Kernels whose traffic is known by hand. Imported by a fixture, when the interpreter is on."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, TID253

import torch
import triton
import triton.language as tl


@triton.jit
def copy_1d(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(x + offsets, mask=offsets < n, other=7), mask=offsets < n)


@triton.jit
def copy_1d_unmasked(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(x + offsets))


@triton.jit
def copy_2d(x, y, M, N, xm, xn, ym, yn, BM: tl.constexpr, BN: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    inside = (m < M) & (n < N)
    tl.store(y + m * ym + n * yn, tl.load(x + m * xm + n * xn, mask=inside), mask=inside)


@triton.jit
def copy_twice(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    first = tl.load(x + offsets, mask=offsets < n)
    second = tl.load(x + offsets, mask=offsets < n)
    tl.store(y + offsets, (first + second) / 2, mask=offsets < n)


@triton.jit
def copy_block_pointer(x, y, M, N, xm, xn, BM: tl.constexpr, BN: tl.constexpr):
    row = tl.program_id(0) * BM
    source = tl.make_block_ptr(x, (M, N), (xm, xn), (row, 0), (BM, BN), (1, 0))
    target = tl.make_block_ptr(y, (M, N), (N, 1), (row, 0), (BM, BN), (1, 0))
    for _ in range(0, N, BN):
        tl.store(target, tl.load(source, boundary_check=(0, 1), padding_option="zero"), boundary_check=(0, 1))
        source = tl.advance(source, (0, BN))
        target = tl.advance(target, (0, BN))


@triton.jit
def copy_block_pointer_rows_checked(x, y, M, N, BM: tl.constexpr, BN: tl.constexpr):
    source = tl.make_block_ptr(x, (M, N), (N, 1), (0, 0), (BM, BN), (1, 0))
    target = tl.make_block_ptr(y, (M, N), (N, 1), (0, 0), (BM, BN), (1, 0))
    tl.store(target, tl.load(source, boundary_check=(0,)), boundary_check=(0, 1))


@triton.jit
def copy_descriptor(x, y, M, N, BM: tl.constexpr, BN: tl.constexpr):
    source = tl.make_tensor_descriptor(x, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    target = tl.make_tensor_descriptor(y, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    for column in tl.range(0, N, BN):
        target.store([tl.program_id(0) * BM, column], source.load([tl.program_id(0) * BM, column]))


@triton.jit
def copy_host_descriptor(source, target, N, BM: tl.constexpr, BN: tl.constexpr):
    column = 0
    while column < N:
        target.store([tl.program_id(0) * BM, column], source.load([tl.program_id(0) * BM, column]))
        column += BN


@triton.jit
def gather_rows(source, rows, y, N, ROWS: tl.constexpr, BN: tl.constexpr):
    wanted = tl.load(rows + tl.arange(0, ROWS))
    tile = source.gather(wanted, 0)
    n = tl.arange(0, BN)
    tl.store(y + tl.arange(0, ROWS)[:, None] * N + n[None, :], tile, mask=n[None, :] < N)


@triton.jit
def sum_atomic(x, total, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(total, tl.sum(tl.load(x + offsets, mask=offsets < n, other=0)))


@triton.jit
def add_atomic_masked(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.atomic_add(y + offsets, tl.load(x + offsets, mask=inside), mask=inside)


@triton.jit
def exchange_if_equal(lock):
    tl.atomic_cas(lock, 0, 1)


@triton.jit
def sum_racing(x, total, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(total, tl.load(total) + tl.sum(tl.load(x + offsets, mask=offsets < n, other=0)))


@triton.jit
def _masked(pointer, offsets, n):
    return tl.load(pointer + offsets, mask=offsets < n, other=0)


@triton.jit
def add_nested(x, y, z, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z + offsets, _masked(x, offsets, n) + _masked(y, offsets, n), mask=offsets < n)


@triton.jit
def scale_by_scalar(x, factor, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(x + offsets, mask=offsets < n) * tl.load(factor), mask=offsets < n)


@triton.autotune([triton.Config({"BLOCK": 16}), triton.Config({"BLOCK": 64})], key=["n"])
@triton.jit
def copy_tuned(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(x + offsets, mask=offsets < n), mask=offsets < n)


@triton.heuristics({"BLOCK": lambda arguments: triton.next_power_of_2(arguments["n"])})
@triton.jit
def copy_heuristic(x, y, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(x + offsets, mask=offsets < n), mask=offsets < n)


@triton.jit
def uses_torch_inside(y, source: tl.constexpr, n, BLOCK: tl.constexpr):
    torch.matmul(source, source)
    tl.store(y + tl.arange(0, BLOCK), 1.0, mask=tl.arange(0, BLOCK) < n)


@triton.jit
def raises(y, n, BLOCK: tl.constexpr):
    tl.store(y + tl.arange(0, BLOCK), 1.0, mask=tl.arange(0, BLOCK) < n)
    raise ValueError("in the middle")


@triton.jit
def copy_from_address(address, y, n, BLOCK: tl.constexpr):
    pointer = tl.load(address).to(tl.pointer_type(tl.float32))
    offsets = tl.arange(0, BLOCK)
    tl.store(y + offsets, tl.load(pointer + offsets, mask=offsets < n), mask=offsets < n)


@triton.jit
def fill_tiles(y, M, N, BM: tl.constexpr, BN: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    tl.store(y + m * N + n, (m + n).to(tl.float32), mask=m < M)
