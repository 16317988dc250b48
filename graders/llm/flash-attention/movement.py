"""What attention has to move, and where it is measured what it does move."""

from __future__ import annotations

# Traffic is measured in float32, for one head of this size, at these lengths.
SIZE = 16
ROW_BYTES = SIZE * 4
LENGTHS = (256, 384, 512)
# Causal traffic is measured at so many blocks of queries, the first number where they are of 32 at most. Skipping what
# lies beyond the diagonal leaves 1/2 + (queries + keys of a block) / 2N of the reads of keys and values: 52 % where
# blocks are square, and 58 % where there are four times, or among large blocks twice, as many keys in one as queries.
CAUSAL_BLOCKS = (32, 24)


def least_bytes(length: int) -> int:
    """q, k and v are read, and o is written."""
    return 4 * length * ROW_BYTES


def naive_bytes(length: int) -> int:
    """Three kernels: scores from q and k, weights from scores, o from weights and v; N x N is moved four times."""
    return least_bytes(length) + 4 * length * length * 4
