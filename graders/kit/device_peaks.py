"""What a device can do at best, measured on it: a datasheet knows neither the card's clock nor its power limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graders.kit.device_timing import Clock, Timings, race


def copy_race(clock: Clock, *, size_bytes: int, repetitions: int) -> Timings:
    """Time torch's copy of a buffer; each call moves 2 · size_bytes."""
    import torch

    copy = torch.Tensor.copy_

    def make_inputs(number: int) -> Sequence[Any]:
        source = torch.full((size_bytes // 4,), number, dtype=torch.int32, device=clock.device)
        return source, torch.empty_like(source)

    def run(source: Any, target: Any) -> Any:
        return copy(target, source)

    timings = race({"copy": run}, make_inputs, clock=clock, repetitions=repetitions)
    timings.notes.remove("copy changed its inputs")  # that is what it is for
    return timings


def product_race(clock: Clock, *, size: int, dtype: str, repetitions: int) -> Timings:
    """Time the library's product of two square matrices; each call takes 2 · size³ operations."""
    import torch

    product = torch.matmul

    def make_inputs(number: int) -> Sequence[Any]:
        generator = torch.Generator(device=clock.device).manual_seed(number)
        kind = {"dtype": getattr(torch, dtype), "device": clock.device, "generator": generator}
        return torch.randn(size, size, **kind), torch.randn(size, size, **kind)

    return race({"product": product}, make_inputs, clock=clock, repetitions=repetitions)
