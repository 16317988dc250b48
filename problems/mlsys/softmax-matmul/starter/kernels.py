"""Fused softmax and tiled matrix product in Triton, and a roofline to judge them by.

Two kernels of yours, two functions that launch them, and three that count.
The brief is in README.md. `deepfield grade` tells you how far you are; no GPU is needed for that.
"""

import torch
import triton
import triton.language as tl


def softmax(x: torch.Tensor) -> torch.Tensor:
    """Softmax over the last axis, in one kernel that reads each element once and writes each element once.

    Args:
        x: (M, N), float32, float16 or bfloat16, 1 <= N <= 8192, any strides.

    Returns:
        y: (M, N), in the dtype of x.
    """
    raise NotImplementedError


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The matrix product, computed tile by tile and accumulated in float32.

    Args:
        a: (M, K), float32, float16 or bfloat16, any strides.
        b: (K, N), in the dtype of a, any strides.

    Returns:
        c: (M, N), in the dtype of a.
    """
    raise NotImplementedError


def roofline(
    flops: float, bytes_moved: float, seconds: float, peak_flops: float, peak_bandwidth: float
) -> dict[str, float | str]:
    """Where a measured kernel stands under the roof.

    Args:
        flops: operations that the kernel did.
        bytes_moved: bytes that it moved to and from memory.
        seconds: how long it took.
        peak_flops: operations per second that the device can do.
        peak_bandwidth: bytes per second that its memory can move.

    Returns:
        {"intensity": operations per byte,
         "attainable": operations per second that are possible at this intensity,
         "achieved": operations per second that were reached,
         "fraction_of_roof": achieved of attainable,
         "bound": "memory" or "compute"; at the ridge itself "compute"}
    """
    raise NotImplementedError


def softmax_cost(M: int, N: int, bytes_per_element: int) -> dict[str, int]:
    """What a fused softmax of an (M, N) matrix costs: {"flops", "bytes_moved"}, counted as the brief says."""
    raise NotImplementedError


def matmul_cost(M: int, N: int, K: int, bytes_per_element: int) -> dict[str, int]:
    """What an (M, K) @ (K, N) product costs at least: {"flops", "bytes_moved"}, counted as the brief says."""
    raise NotImplementedError
