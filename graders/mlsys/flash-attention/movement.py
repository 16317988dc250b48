"""What a block of the forward pass holds, what the algorithm moves, and what a wrong prediction of it would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = (16, 32, 64, 128)
SMALLEST = 16
# A larger block of queries gains little: keys and values are a small part of the traffic by then.
ENOUGH = 128
LSE_BYTES = 4


@dataclass(frozen=True)
class Blocks:
    """The blocks of one forward pass."""

    queries: int
    keys: int
    head_dim: int
    element_bytes: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of q, k, v or o."""
        return self.head_dim * self.element_bytes

    def parts(self) -> dict[str, int]:
        """Bytes that a program holds, by what they are for."""
        return {
            "queries": self.queries * self.row_bytes,
            "keys and values": 2 * self.keys * self.row_bytes,
            "accumulator": 4 * self.queries * self.head_dim,
            "scores": 4 * self.queries * self.keys,
        }

    def held(self) -> int:
        """Bytes that a program holds."""
        return sum(self.parts().values())

    def keys_read(self, length: int, causal: bool) -> int:
        """Rows of k that all programs load together; lanes beyond the end are masked."""
        ends = [min(length, first + self.queries) if causal else length for first in range(0, length, self.queries)]
        return sum(min(length, -(-end // self.keys) * self.keys) for end in ends)

    def moved(self, length: int, causal: bool) -> int:
        """Bytes of one head: q and o once, lse once, keys and values once for each block of queries."""
        rows = 2 * length + 2 * self.keys_read(length, causal)
        return rows * self.row_bytes + LSE_BYTES * length


def best_queries(head_dim: int, sram_bytes: int, element_bytes: int) -> int:
    """The largest block of queries that fits, up to what is enough; 0 where not even the smallest does."""
    fitting = [
        size for size in SIZES if Blocks(size, SMALLEST, head_dim, element_bytes).held() <= min(sram_bytes, 1 << 40)
    ]
    return max(fitting, default=0)


def one_byte_short(head_dim: int, element_bytes: int, budgets: Sequence[int]) -> list[int]:
    """Within these budgets, those that lack one byte for the next larger block of queries."""
    needed = [Blocks(size, SMALLEST, head_dim, element_bytes).held() for size in SIZES[1:]]
    return [size - 1 for size in needed if min(budgets) < size <= max(budgets)]


def wrong_predictions(blocks: Blocks, length: int, causal: bool) -> list[tuple[str, float]]:
    """Misconceptions and the bytes that they predict, the likelier first."""
    row, right = blocks.row_bytes, blocks.moved(length, causal)
    keys = 2 * row * blocks.keys_read(length, causal)
    linear = right - keys
    whole = -(-length // blocks.queries) * blocks.queries
    swapped = Blocks(blocks.keys, blocks.queries, blocks.head_dim, blocks.element_bytes)
    found: list[tuple[str, float]] = [
        ("lse-not-counted", right - LSE_BYTES * length),
        ("prediction-in-elements", right / blocks.element_bytes),
        ("prediction-in-elements", (right - LSE_BYTES * length) / blocks.element_bytes + length),
        ("output-not-counted", right - row * length),
        ("output-not-counted", right - row * length - LSE_BYTES * length),
        ("blocks-not-rounded-up", linear + 2 * row * length * (length // blocks.queries)),
        ("blocks-not-rounded-up", linear + 2 * row * length * length / blocks.queries),
        ("masked-lanes-counted", blocks.moved(whole, causal)),
        ("masked-lanes-counted", linear + 2 * row * whole * -(-length // blocks.queries)),
        ("prediction-by-key-block", swapped.moved(length, causal)),
        ("values-not-counted", right - keys / 2),
        ("keys-counted-once", linear + 2 * row * length),
        ("scores-counted", right + 2 * 4 * length * length),
        ("scores-counted", right + 4 * length * length),
    ]
    if causal:
        full = blocks.moved(length, False)
        half = linear + row * blocks.keys_read(length, False)
        halves = [half, full / 2, linear + row * length * length / blocks.queries]
        found = [("prediction-not-causal", full), *(("diagonal-not-counted", told) for told in halves), *found]
    return found
