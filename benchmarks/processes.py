"""Whole commands, timed in turn with the yardstick beside them: what is compared shares the machine's mood."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEEPFIELD = (sys.executable, "-m", "deepfield_cli")


@dataclass(frozen=True)
class Ratio:
    """A measured ratio and the bound that it is held to."""

    name: str
    value: float
    bound: float
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bound."""
        return self.value <= self.bound


def seconds_of(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> float:
    """Wall-clock seconds of one run of a command, which must succeed."""
    # some shells forbid .pyc files: then every import of ours would be a compilation, and none of a library's
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables |= dict(environment or {})
    begin = time.perf_counter()
    subprocess.run(list(command), cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def compare(
    name: str, command: Sequence[str], yardstick: Sequence[str], folder: Path, *, runs: int, bound: float
) -> Ratio:
    """Time two commands in turn; the ratio of the medians, with both in milliseconds."""
    pairs = [(seconds_of(command, folder), seconds_of(yardstick, folder)) for _ in range(runs + 1)][1:]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Ratio(name, ours / theirs, bound, f"{ours * 1000:.0f} ms against {theirs * 1000:.0f} ms")
