"""The law that attention's traffic follows as the sequence grows: bytes(N) = a·N + b·N², fitted to what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """bytes(N) = linear · N + quadratic · N²."""

    linear: float
    quadratic: float

    @classmethod
    def through(cls, moved: Mapping[int, int]) -> Law:
        """Fit it to bytes by length: through the shortest and the longest of them."""
        short, long = min(moved), max(moved)
        quadratic = (moved[long] / long - moved[short] / short) / (long - short)
        return cls(moved[short] / short - quadratic * short, quadratic)

    def bytes_at(self, length: int) -> float:
        """What the law says."""
        return self.linear * length + self.quadratic * length * length

    def error(self, moved: Mapping[int, int]) -> float:
        """The largest relative distance from what was counted."""
        return max(abs(self.bytes_at(length) / count - 1.0) for length, count in moved.items())

    def queries_per_block(self, row_bytes: int) -> float:
        """How many queries read the keys and values together; a row of each has so many bytes.

        A block of B queries reads all keys and values once: 2 · N · row bytes, N / B times.
        """
        return 2.0 * row_bytes / self.quadratic if self.quadratic > 0 else float("inf")
