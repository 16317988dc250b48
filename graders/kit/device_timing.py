"""How long functions take on a device, measured so that a fast wrong answer does not look like a fast right one.

Every timed call gets inputs of its own, with nothing of them in the L2 cache; every output is looked at; functions that
are compared take turns, so that a clock that drifts drifts for all. It runs in the worker, where a submission could
change what it finds: the clock therefore takes hold of what it needs when it is made, before the submission is loaded
(make one at the top of probe.py), and tells where two clocks disagree. On "cpu" it does the same with the processor's
clock, so that a probe can be tried out without a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Twice the L2 cache of the largest GPUs (B200: 126 MB); where it is unknown, the more the better.
_FLUSH_BYTES = 256 * 2**20
# What the host may need to notice that a device is done, without which every short kernel would be under suspicion.
_NOTICE_SECONDS = 200e-6


class Clock:
    """Times calls on one device. Made before the submission is loaded; touches the device at its first use only."""

    def __init__(self, device: str = "cuda", now: Callable[[], float] = time.perf_counter) -> None:
        import torch

        self.device = device
        self.now = now
        self._torch = torch
        self._zero = torch.Tensor.zero_
        self._empty = torch.empty
        self._scratch: Any = None
        if device == "cuda":
            event = torch.cuda.Event
            self._event = event
            self._record, self._elapsed, self._wait = event.record, event.elapsed_time, event.synchronize
            self._synchronize = torch.cuda.synchronize

    @property
    def on_device(self) -> bool:
        return self.device == "cuda"

    def name(self) -> str:
        """The device in words."""
        return (
            str(self._torch.cuda.get_device_name()) if self.on_device else "cpu (a stand-in: it says nothing of speed)"
        )

    def synchronize(self) -> None:
        if self.on_device:
            self._synchronize()

    def flush(self) -> None:
        """Fill the L2 cache with something else."""
        if self._scratch is None:
            size = _FLUSH_BYTES if self.on_device else 1
            self._scratch = self._empty(size, dtype=self._torch.int8, device=self.device)
        self._zero(self._scratch)

    def time(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Timed:
        """Call a function once. Nothing of it is left running when this returns."""
        self.synchronize()
        self.flush()  # not waited for: while the device is at it, the host gets ahead, and launches cost no gap
        return self._time_on_device(function, arguments) if self.on_device else self._time_here(function, arguments)

    def _time_here(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Timed:
        start = self.now()
        output = function(*arguments)
        return Timed(output, self.now() - start)

    def _time_on_device(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Timed:
        first, last = self._event(enable_timing=True), self._event(enable_timing=True)
        start = self.now()
        self._record(first)
        output = function(*arguments)
        self._record(last)
        self._wait(last)
        seen = self.now()
        self._synchronize()
        everything = self.now()
        seconds = float(self._elapsed(first, last)) / 1e3
        return Timed(output, seconds, note=disagreement(seconds, seen - start, everything - seen))


@dataclass(frozen=True)
class Timed:
    """One call: what it returned, how long the device took, and what was odd about it."""

    output: Any
    seconds: float
    note: str | None = None


def disagreement(seconds: float, by_the_host: float, left_over: float) -> str | None:
    """What is odd if a device says it took ``seconds`` and the host waited so long, and then so long for the rest."""
    if left_over > max(_NOTICE_SECONDS, 0.1 * seconds):
        return "the device was still busy when the stream of the call was done: work on another stream is not timed"
    if seconds > by_the_host + _NOTICE_SECONDS or not seconds >= 0.0:
        return "the device's clock and the host's disagree: one of them was changed"
    return None


@dataclass
class Timings:
    """All calls of a race: seconds by name in the order of the repetitions, and what was looked at after each call."""

    device: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    looked_at: dict[str, list[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_wire(self) -> dict[str, Any]:
        """The same as plain values, if what was looked at is plain."""
        return asdict(self)


def race(
    functions: Mapping[str, Callable[..., Any]],
    make_inputs: Callable[[int], Sequence[Any]],
    *,
    clock: Clock,
    repetitions: int,
    warm_ups: int = 3,
    look: Callable[[Sequence[Any], Any], Any] = lambda inputs, output: None,
) -> Timings:
    """Time functions in turn, in an order that changes, each call on inputs that nobody has seen before.

    Args:
        functions: what is compared, by name.
        make_inputs: inputs number n, on the device; never the same twice.
        clock: the clock that was made before the submission was loaded.
        repetitions: timed calls of each function.
        warm_ups: calls before, not timed, for compilation and tuning; their outputs are looked at as well.
        look: after each call, not timed: what the grader needs in order to judge the output, as plain values. It runs
            right away, before any memory can be used again.

    """
    timings = Timings(clock.name(), {name: [] for name in functions}, {name: [] for name in functions})
    names, number = list(functions), 0
    for repetition in range(-warm_ups, repetitions):
        turn = repetition % len(names)
        for name in names[turn:] + names[:turn]:
            inputs = make_inputs(number)
            number += 1
            before = [checksum(item) for item in inputs]
            timed = clock.time(functions[name], inputs)
            if [checksum(item) for item in inputs] != before:
                _note(timings, f"{name} changed its inputs")
            if timed.note is not None:
                _note(timings, f"{name}: {timed.note}")
            timings.looked_at[name].append(look(inputs, timed.output))
            if repetition >= 0:
                timings.seconds[name].append(timed.seconds)
            del inputs, timed
    return timings


def _note(timings: Timings, note: str) -> None:
    if note not in timings.notes:
        timings.notes.append(note)


def checksum(item: Any) -> int | None:
    """A sum over the bits of a tensor, made on its device; None for anything else."""
    if not hasattr(item, "element_size") or item.numel() == 0:
        return None
    import torch

    integers = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return int(item.view(integers[item.element_size()]).sum(dtype=torch.int64))
