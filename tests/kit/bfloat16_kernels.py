"""Run on its own with TRITON_INTERPRET=1: kernels on bfloat16, beside what torch gives. Prints distances as JSON.

With the argument "unrepaired" the interpreter stays as it is.
"""

# ruff: noqa: TID253 - a kernel names triton.language as a global
# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import triton
import triton.language as tl

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from graders.kit.interpreter_repairs import repair

SIZE = 64


@triton.jit
def copy(x_ptr: Any, y_ptr: Any, N: tl.constexpr) -> None:
    """Rounds by the type of the pointer."""
    i = tl.arange(0, N)
    tl.store(y_ptr + i, tl.load(x_ptr + i))


@triton.jit
def convert(x_ptr: Any, y_ptr: Any, N: tl.constexpr) -> None:
    """Rounds by a cast."""
    i = tl.arange(0, N)
    tl.store(y_ptr + i, tl.load(x_ptr + i).to(tl.bfloat16))


@triton.jit
def product(a_ptr: Any, b_ptr: Any, c_ptr: Any, N: tl.constexpr) -> None:
    """One tile of a matrix product."""
    i = tl.arange(0, N)
    at = i[:, None] * N + i[None, :]
    tl.store(c_ptr + at, tl.dot(tl.load(a_ptr + at), tl.load(b_ptr + at)))


@triton.jit
def elementwise(x_ptr: Any, y_ptr: Any, N: tl.constexpr) -> None:
    """One row of y for every kind of operation."""
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i)
    tl.store(y_ptr + 0 * N + i, x * 0.3 + 1.0)
    tl.store(y_ptr + 1 * N + i, x / 3)
    tl.store(y_ptr + 2 * N + i, tl.where(x > 0, x, 0.0))
    tl.store(y_ptr + 3 * N + i, tl.maximum(x, 0.5))
    tl.store(y_ptr + 4 * N + i, tl.full([N], 1.7, tl.bfloat16) + x)
    tl.store(y_ptr + 5 * N + i, -x)
    tl.store(y_ptr + 6 * N + i, tl.max(x, axis=0) + tl.zeros([N], tl.float32))
    tl.store(y_ptr + 7 * N + i, tl.sum(x, axis=0) + tl.zeros([N], tl.float32))
    tl.store(y_ptr + 8 * N + i, i.to(tl.bfloat16))
    tl.store(y_ptr + 9 * N + i, (x * 8).to(tl.int32).to(tl.float32))
    tl.store(y_ptr + 10 * N + i, x.to(tl.float16))
    tl.store(y_ptr + 11 * N + i, tl.abs(x))
    tl.store(y_ptr + 12 * N + i, tl.cumsum(x, 0))
    tl.store(y_ptr + 13 * N + i, x * x + x)


def elementwise_in_torch(x: torch.Tensor) -> list[torch.Tensor]:
    """The same rows by torch."""
    low = torch.bfloat16
    return [
        x * torch.tensor(0.3, dtype=low) + 1.0,
        x.float() / 3,  # a quotient is float32
        torch.where(x > 0, x, 0.0),
        torch.clamp(x, min=0.5),
        torch.full_like(x, 1.7) + x,
        -x,
        x.max().expand(SIZE),
        x.float().sum().to(low).expand(SIZE),
        torch.arange(SIZE).to(low),
        (x * 8).int().float(),
        x.half(),
        x.abs(),
        x.float().cumsum(0),
        x * x + x,
    ]


def main() -> None:
    """Print the largest distances."""
    if "unrepaired" not in sys.argv:
        repair()
        repair()  # a second time changes nothing
    torch.manual_seed(1)
    distances: dict[str, list[float]] = {"rounding": [], "product": [], "elementwise": []}
    numbers = torch.cat([torch.randn(4000) * 3, 2.0 - 2.0 ** -torch.arange(2.0, 20), torch.tensor([0.0, -0.0, 3e38])])
    numbers = torch.cat([numbers, torch.zeros(4096 - numbers.numel())])
    for kernel in (copy, convert):
        rounded = torch.empty(4096, dtype=torch.bfloat16)
        kernel[(1,)](numbers, rounded, 4096)
        distances["rounding"].append((rounded.float() - numbers.bfloat16().float()).abs().max().item())
    for kind in (torch.bfloat16, torch.float16, torch.float32):
        a, b = (torch.randn(16, 16).to(kind) for _ in range(2))
        c = torch.empty(16, 16)
        product[(1,)](a, b, c, 16)
        distances["product"].append((c - a.float() @ b.float()).abs().max().item())
    x = torch.randint(-40, 40, (SIZE,)).div(16).bfloat16()
    y = torch.empty(14, SIZE)
    if "unrepaired" not in sys.argv:  # it has no bfloat16 constants, and stops
        elementwise[(1,)](x, y, SIZE)
        rights = elementwise_in_torch(x)
        distances["elementwise"] = [
            (row - right.float()).abs().max().item() for row, right in zip(y, rights, strict=True)
        ]
    special = torch.tensor([float("inf"), float("-inf"), float("nan"), 1.0])
    kept = torch.empty(4, dtype=torch.bfloat16)
    copy[(1,)](special, kept, 4)
    print(json.dumps({**distances, "special": [str(value) for value in kept.tolist()]}))


if __name__ == "__main__":
    main()
