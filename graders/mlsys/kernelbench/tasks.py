"""The sixteen tasks by name: what they return, and what the fused ones would hand on if they were not fused."""

from __future__ import annotations

from pathlib import Path

# What forward returns: name and dtype of every output, in order.
OUTPUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "softplus_gate": (("y", "float32"),),
    "row_variance": (("y", "float32"),),
    "max_over_middle": (("values", "float32"), ("indices", "int64")),
    "layer_norm": (("y", "float32"),),
    "group_norm": (("y", "float32"),),
    "matmul_at_b": (("c", "float32"),),
    "batched_matmul_bt": (("c", "float32"),),
    "conv2d": (("y", "float32"),),
    "log_softmax_channels": (("y", "float32"),),
    "cross_entropy": (("loss", "float32"),),
    "linear_bias_gelu": (("y", "float32"),),
    "residual_rms_norm": (("y", "float32"), ("total", "float32")),
    "swiglu": (("y", "float32"),),
    "attention_weights": (("weights", "float32"),),
    "linear_logsumexp": (("y", "float32"),),
    "distillation_loss": (("loss", "float32"),),
}

# The level-2 tasks: how many bytes an unfused forward hands from kernel to kernel, as multiples of a size in bytes
# (each intermediate array is stored once and loaded once), and which inputs are large and read row by row.
FUSED: dict[str, tuple[int, tuple[int, ...]]] = {
    "linear_bias_gelu": (2, ()),  # x @ w.T + b
    "residual_rms_norm": (1, (0, 1)),  # the sum is an output: it has to be stored, and need not be loaded again
    "swiglu": (4, ()),  # both products
    "attention_weights": (2, (0,)),  # the biased scores
    "linear_logsumexp": (2, ()),  # the logits
    "distillation_loss": (4, (0, 1)),  # both logarithms of a softmax
}

# Operations of the products at the sizes of the task files: their time has a floor that no kernel gets below.
OPERATIONS: dict[str, float] = {
    "matmul_at_b": 2.0 * 1500 * 2100 * 6000,
    "batched_matmul_bt": 2.0 * 96 * 500 * 380 * 200,
    "conv2d": 2.0 * 32 * 96 * 33 * 58 * 48 * 15,
    "linear_bias_gelu": 2.0 * 8192 * 2000 * 500,
    "swiglu": 4.0 * 8192 * 1400 * 500,
    "linear_logsumexp": 2.0 * 16384 * 16000 * 128,
}


def sources() -> Path:
    """The folder with the task files, in the public format. They lie in the starter: learners read them too."""
    return Path(__file__).resolve().parents[3] / "problems" / "mlsys" / "kernelbench" / "starter" / "tasks"
