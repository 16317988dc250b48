"""Runs inside the worker: the submission's functions with every byte counted that its kernels move; and the race."""

from __future__ import annotations

from typing import Any

from graders.kit import autotuning, interpreter_repairs, traffic
from graders.kit.device_timing import Clock, race
from graders.kit.storages import Storages
from graders.kit.torch_operators import OperatorLog

autotuning.repair()
interpreter_repairs.repair()
# Made before the submission is loaded, which could put other clocks in their place.
CLOCKS = {"cuda": Clock("cuda"), "cpu": Clock("cpu")}


def attend(module: Any, q: Any, k: Any, v: Any, causal: bool | None) -> list[Any]:
    """[o, record of the traffic]; causal is left to its default where it is None."""
    arguments = (q, k, v) if causal is None else (q, k, v, causal)
    return counted(module.flash_attention, arguments)


def block(module: Any, *arguments: Any) -> list[Any]:
    """[y, record of the traffic] of attention_block."""
    return counted(module.attention_block, arguments)


def counted(function: Any, arguments: Any) -> list[Any]:
    """Nothing outside of the tensors is touched: a kernel without masks must not bring the worker down."""
    import torch

    with traffic.counting(fence=True) as record:
        answer = function(*arguments)
        if isinstance(answer, torch.Tensor) and answer.layout == torch.strided:
            traffic.watch(output=answer)
    return [answer, record.as_wire()]


# ---- the GPU rung ----


def attention_race(
    module: Any, device: str, shape: list[int], repetitions: int, shown: list[int], seed: int
) -> dict[str, Any]:
    """The submission's causal attention beside torch operators, in float16; some inputs' answers are looked at."""
    latest = {"number": -1}
    draw = numbers(device, "float16", shape, seed)

    def make(number: int) -> Any:
        latest["number"] = number
        return draw(number)

    def look(inputs: Any, output: Any) -> Any:
        return sample(inputs, output) if latest["number"] in shown else None

    functions = {"yours": lambda q, k, v: module.flash_attention(q, k, v, True), "naive": naive_attention}
    return race(functions, make, clock=CLOCKS[device], repetitions=repetitions, look=look).as_wire()


def throughput_race(module: Any, device: str, shape: list[int], repetitions: int, seed: int) -> dict[str, Any]:
    """The submission's causal attention alone, in float16."""
    functions = {"yours": lambda q, k, v: module.flash_attention(q, k, v, True)}
    make = numbers(device, "float16", shape, seed)
    return race(functions, make, clock=CLOCKS[device], repetitions=repetitions).as_wire()


def attend_on_device(module: Any, device: str, shape: list[int], causal: bool, dtype: str, seed: int) -> list[Any]:
    """The first and the last head of one call."""
    inputs = numbers(device, dtype, shape, seed)(0)
    return sample(inputs, module.flash_attention(*inputs, causal))


def memory_on_device(module: Any, device: str, shape: list[int], seed: int) -> dict[str, int]:
    """Bytes that each causal attention needs at its peak beside its inputs; on the stand-in, all that it allocates."""
    inputs = numbers(device, "float16", shape, seed)(0)
    functions = {"yours": lambda q, k, v: module.flash_attention(q, k, v, True), "naive": naive_attention}
    return {name: peak_bytes(function, inputs, device) for name, function in functions.items()}


def peak_bytes(function: Any, inputs: Any, device: str) -> int:
    """The most memory that a call holds beside its inputs."""
    import torch

    if device != "cuda":
        log = OperatorLog()
        with log.listening(Storages()):
            function(*inputs)
        return log.allocated_bytes
    function(*inputs)  # what a first call compiles and caches is not counted
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    output = function(*inputs)
    torch.cuda.synchronize()
    peak = torch.cuda.max_memory_allocated() - before
    del output
    return int(peak)


def naive_attention(q: Any, k: Any, v: Any) -> Any:
    """Torch operators, one after the other, with the matrix of scores between them."""
    import torch

    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1) @ v


def numbers(device: str, dtype: str, shape: list[int], seed: int) -> Any:
    """Make q, k and v number n: normal numbers, drawn on the device."""
    import torch

    def make(number: int) -> tuple[Any, ...]:
        generator = torch.Generator(device=device).manual_seed(seed + number)
        kind = {"dtype": getattr(torch, dtype), "device": device, "generator": generator}
        return tuple(torch.randn(*shape, **kind) for _ in range(3))

    return make


def sample(inputs: Any, output: Any) -> list[Any]:
    """For the first and the last head: [rows, these rows of q and of o, k, v]."""
    batch, heads, length, _ = inputs[0].shape
    picked = sorted({0, 1 % length, length // 3, length // 2, max(length - 2, 0), length - 1})
    q, k, v = inputs
    return [
        [picked, q[b, h][picked].cpu(), output[b, h][picked].cpu(), k[b, h].cpu(), v[b, h].cpu()]
        for b, h in sorted({(0, 0), (batch - 1, heads - 1)})
    ]
