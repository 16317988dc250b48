"""Flash attention, forward: a Triton kernel that never writes the matrix of scores, and the block around it.

Letters: B batch, H heads, T positions, D size of a head, C = H * D channels.
The brief is in README.md. `deepfield grade` tells you how far you are.

Without a GPU, set TRITON_INTERPRET=1 in your shell: the kernel then runs on the CPU, one program after another.
"""

import torch
import triton
import triton.language as tl


def flash_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = True) -> torch.Tensor:
    """softmax(q k^T / sqrt(D)) v for each head, in one kernel of yours.

    Args:
        q, k, v: (B, H, T, D) in float32, float16 or bfloat16, with any strides. D is 16, 32, 64 or 128; T is at least 1.
        causal: position t sees the positions up to and including t; otherwise all.

    Returns:
        o: (B, H, T, D), in the dtype of q.
    """
    raise NotImplementedError


def attention_block(
    x: torch.Tensor,
    w_qkv: torch.Tensor,
    b_qkv: torch.Tensor,
    w_out: torch.Tensor,
    b_out: torch.Tensor,
    n_heads: int,
) -> torch.Tensor:
    """The causal block of llm/attention, forward only, with flash_attention inside.

    Args:
        x: (B, T, C), float32.
        w_qkv: (C, 3C). x @ w_qkv + b_qkv holds q, k and v side by side, in that order.
        b_qkv: (3C,).
        w_out: (C, C), used as heads @ w_out.
        b_out: (C,).
        n_heads: H. Head h owns channels h*D up to (h+1)*D of each of q, k and v.

    Returns:
        y: (B, T, C).
    """
    raise NotImplementedError
