"""Times torch's own fused attention, as a script in a process of its own: in the worker it is out of reach.

Takes one JSON object {device, shapes, repetitions}, prints {"0": {"forward": seconds, "both": seconds}, ...}.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

# More than the L2 cache of the largest GPUs.
_FLUSH_BYTES = 256 * 2**20


def main(told: str) -> None:
    """Time each shape and print the medians."""
    wanted = json.loads(told)
    measured = {}
    for number, shape in enumerate(wanted["shapes"]):
        passes = runners(wanted["device"], shape)
        measured[number] = {
            name: median_seconds(run, wanted["device"], wanted["repetitions"]) for name, run in passes.items()
        }
    print(json.dumps(measured))


def runners(device: str, shape: list[int]) -> dict[str, Callable[[], Any]]:
    """The forward pass, and both passes, causal and in float16."""
    import torch

    q, k, v, do = (torch.randn(*shape, dtype=torch.float16, device=device) for _ in range(4))
    leaves = [tensor.detach().requires_grad_() for tensor in (q, k, v)]
    attend = torch.nn.functional.scaled_dot_product_attention

    def both() -> Any:
        return torch.autograd.grad(attend(*leaves, is_causal=True), leaves, do)

    return {"forward": lambda: attend(q, k, v, is_causal=True), "both": both}


def median_seconds(run: Callable[[], Any], device: str, repetitions: int) -> float:
    """The median over some calls, each with a cache that holds something else."""
    import torch

    flush = torch.empty(_FLUSH_BYTES if device == "cuda" else 1, dtype=torch.int8, device=device)
    seconds = []
    for repetition in range(-3, repetitions):
        flush.zero_()
        taken = on_device(run) if device == "cuda" else here(run)
        if repetition >= 0:
            seconds.append(taken)
    return statistics.median(seconds)


def on_device(run: Callable[[], Any]) -> float:
    """By the device's clock."""
    import torch

    first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    first.record()
    run()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / 1e3


def here(run: Callable[[], Any]) -> float:
    """By the processor's clock."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1])
