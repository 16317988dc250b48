"""What one worker may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Limits of one worker process.

    Attributes:
        memory_mb: address space that the worker may add to the preloaded modules.
        cpu_seconds: CPU time after which the kernel ends it; the wall clock is the grader's.
        threads: threads of numeric libraries.
        processes: may start other processes.
        network: may open sockets.
        gpu: may use a CUDA device; address space is then not limited.

    """

    memory_mb: int = 2048
    cpu_seconds: float = 120.0
    threads: int = 1
    processes: bool = False
    network: bool = False
    gpu: bool = False

    def with_seconds(self, wall_seconds: float) -> Limits:
        """The same limits for a check that may take so long."""
        return replace(self, cpu_seconds=wall_seconds * self.threads + 5.0)

    def as_wire(self) -> dict[str, Any]:
        """A plain map for the wire."""
        return asdict(self)
