# fails: shapes_and_types   diagnosis: not-implemented
"""Causal multi-head self-attention, forward and backward, by hand.

Letters: B batch, T positions, C channels, H = n_heads, D = C // H channels of one head.
The brief is in README.md. `deepfield grade` tells you how far you are.
"""

import torch


def attention_forward(
    x: torch.Tensor,
    w_qkv: torch.Tensor,
    b_qkv: torch.Tensor,
    w_out: torch.Tensor,
    b_out: torch.Tensor,
    n_heads: int,
) -> tuple[torch.Tensor, object]:
    """Let every position look at itself and the positions before it.

    Args:
        x: (B, T, C), float32 or float64.
        w_qkv: (C, 3C). x @ w_qkv + b_qkv holds q, k and v side by side, in that order.
        b_qkv: (3C,).
        w_out: (C, C), used as heads @ w_out.
        b_out: (C,).
        n_heads: H. Divides C. Head h owns channels h*D up to (h+1)*D of each of q, k and v.

    Returns:
        y: (B, T, C), in the dtype of x.
        cache: whatever attention_backward will need. Nobody else looks into it.
    """
    raise NotImplementedError


def attention_backward(dy: torch.Tensor, cache: object) -> dict[str, torch.Tensor]:
    """Go back from the gradient of y to the gradients of the five arrays that made it.

    Args:
        dy: (B, T, C), the gradient of some loss with respect to y.
        cache: what attention_forward returned beside that y.

    Returns:
        The gradient of the same loss with respect to each array, in its shape and dtype:
        {"x": (B, T, C), "w_qkv": (C, 3C), "b_qkv": (3C,), "w_out": (C, C), "b_out": (C,)}
    """
    raise NotImplementedError
