"""The price of isolation: one call of an empty function with a 64 kB array, there and back."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.processes import Ratio
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.submission import Submission
from deepfield_cli.sandbox.wire import Tensor

BOUND_MILLISECONDS = 1.0
_WARM_UP = 50


def measure(*, calls: int) -> Ratio:
    """The median overhead in milliseconds (an empty call in the same process costs nothing to speak of)."""
    with tempfile.TemporaryDirectory() as root, WarmPool() as pool:
        folder, scratch = Path(root, "submission"), Path(root, "scratch")
        folder.mkdir()
        scratch.mkdir()
        (folder / "echo.py").write_text("def same(x):\n    return x\n", encoding="utf-8")
        blueprint = Blueprint(folder, "echo.py", scratch, Limits(), preload=("torch",))
        submission = Submission(pool, blueprint, call_seconds=600)
        array = Tensor(np.zeros(16_384, dtype=np.float32))
        seconds = [_one(submission, array) for _ in range(_WARM_UP + calls)][_WARM_UP:]
        submission.close()
    median = statistics.median(seconds) * 1000
    return Ratio("isolation and wire per 64 kB call, ms", median, BOUND_MILLISECONDS, f"median of {calls} calls")


def _one(submission: Submission, array: Tensor) -> float:
    begin = time.perf_counter()
    submission.call("same", array)
    return time.perf_counter() - begin
