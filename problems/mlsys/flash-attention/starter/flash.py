"""Flash attention, forward and backward, in Triton kernels; and what they will move, said in advance.

Letters: B batch, H heads, T positions, D size of a head, M queries and N keys of one block.
The brief is in README.md. `deepfield grade` tells you how far you are.

Without a GPU, set TRITON_INTERPRET=1 in your shell: kernels then run on the CPU, one program after another.
"""

import torch
import triton
import triton.language as tl

# What one program of the forward pass may hold, in bytes. flash_forward reads it at every call; the grader changes it.
SRAM_BYTES = 96 * 1024


def flash_forward(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """softmax(q k^T / sqrt(D)) v for each head, in blocks of block_sizes(D, SRAM_BYTES, bytes of an element).

    Args:
        q, k, v: (B, H, T, D) in float32, float16 or bfloat16, with any strides. D is 16, 32, 64 or 128; T is at least 1.
        causal: position t sees the positions up to and including t; otherwise all.

    Returns:
        o: (B, H, T, D), in the dtype of q.
        lse: (B, H, T), float32. The natural logarithm of each row's sum of exp(score).
    """
    raise NotImplementedError


def flash_backward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    o: torch.Tensor,
    lse: torch.Tensor,
    do: torch.Tensor,
    causal: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of sum(o * do). The weights are made again from q, k and lse; nothing T x T is stored.

    Args:
        q, k, v, causal: what flash_forward was called with.
        o, lse: what a right flash_forward returned for them.
        do: (B, H, T, D), in the dtype of q.

    Returns:
        dq, dk, dv: (B, H, T, D) each, in the dtype of q.
    """
    raise NotImplementedError


def block_sizes(head_dim: int, sram_bytes: int, bytes_per_element: int) -> tuple[int, int]:
    """How many queries and how many keys a block of the forward pass has, so that all of it fits.

    Returns:
        block_m, block_n: powers of two, 16 at least, within the budget of the brief, and near the best.
    """
    raise NotImplementedError


def io_bytes(T: int, head_dim: int, block_m: int, block_n: int, bytes_per_element: int, causal: bool) -> int:
    """Your prediction: what flash_forward loads and stores for one head with these blocks, in bytes."""
    raise NotImplementedError
