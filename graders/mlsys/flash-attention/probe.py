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


def forward(module: Any, q: Any, k: Any, v: Any, causal: bool, sram_bytes: int | None) -> list[Any]:
    """[what flash_forward returned, record of the traffic], with another SRAM_BYTES where one is given."""
    own = getattr(module, "SRAM_BYTES", None)
    module.SRAM_BYTES = own if sram_bytes is None else sram_bytes
    try:
        return counted(module.flash_forward, (q, k, v, causal), keys=k, values=v)
    finally:
        module.SRAM_BYTES = own


def backward(module: Any, *arguments: Any) -> list[Any]:
    """[what flash_backward returned, record of the traffic]."""
    return counted(module.flash_backward, arguments)


def both(module: Any, inputs: list[Any], other: list[Any], causal: bool) -> list[Any]:
    """[o, lse, dq, dk, dv] by the submission's own two passes, with a forward pass on other inputs between them."""
    *qkv, do = inputs
    o, lse = module.flash_forward(*qkv, causal)
    module.flash_forward(*other, causal)
    return [o, lse, *module.flash_backward(*qkv, o, lse, do, causal)]


def counted(function: Any, arguments: Any, **watched: Any) -> list[Any]:
    """Nothing outside of the tensors is touched: a kernel without masks must not bring the worker down."""
    import torch

    with traffic.counting(fence=True) as record:
        traffic.watch(**watched)
        answers = function(*arguments)
        for number, answer in enumerate(answers if isinstance(answers, tuple | list) else ()):
            if isinstance(answer, torch.Tensor) and answer.layout == torch.strided:
                traffic.watch(**{f"output{number}": answer})
    return [answers, record.as_wire()]


# ---- the GPU rung ----


def pass_on_device(module: Any, device: str, shape: list[int], causal: bool, dtype: str, seed: int) -> list[Any]:
    """Everything about the first and the last head of one forward and one backward pass."""
    q, k, v, do = numbers(device, dtype, shape, seed)(0)
    o, lse = module.flash_forward(q, k, v, causal)
    gradients = module.flash_backward(q, k, v, o, lse, do, causal)
    everything = (q, k, v, do, o, lse, *gradients)
    return [[tensor[place].cpu() for tensor in everything] for place in ends(shape)]


def pass_race(
    module: Any, device: str, shape: list[int], backward: bool, repetitions: int, shown: list[int], seed: int
) -> dict[str, Any]:
    """The submission's causal attention beside torch operators, in float16, with or without the backward pass."""
    latest = {"number": -1}
    draw = numbers(device, "float16", shape, seed)

    def make(number: int) -> Any:
        latest["number"] = number
        return draw(number)

    def look(inputs: Any, outputs: Any) -> Any:
        return sample(inputs, outputs) if latest["number"] in shown else None

    functions = runners(module, backward)
    return race(functions, make, clock=CLOCKS[device], repetitions=repetitions, look=look).as_wire()


def memory_on_device(module: Any, device: str, shape: list[int], seed: int) -> dict[str, int]:
    """Bytes that both passes need at their peak beside the inputs; on the stand-in, all that they allocate."""
    inputs = numbers(device, "float16", shape, seed)(0)
    return {name: peak_bytes(function, inputs, device) for name, function in runners(module, True).items()}


def runners(module: Any, backward: bool) -> dict[str, Any]:
    """What is compared: each takes q, k, v and do, and gives o, then the gradients if they are wanted."""

    def yours(q: Any, k: Any, v: Any, do: Any) -> tuple[Any, ...]:
        o, lse = module.flash_forward(q, k, v, True)
        return (o, *module.flash_backward(q, k, v, o, lse, do, True)) if backward else (o,)

    def naive(q: Any, k: Any, v: Any, do: Any) -> tuple[Any, ...]:
        import torch

        if not backward:
            return (naive_attention(q, k, v),)
        with torch.enable_grad():
            leaves = [tensor.detach().requires_grad_() for tensor in (q, k, v)]
            o = naive_attention(*leaves)
            return (o.detach(), *torch.autograd.grad(o, leaves, do))

    return {"yours": yours, "naive": naive}


def naive_attention(q: Any, k: Any, v: Any) -> Any:
    """Torch operators, one after the other, with the matrix of scores between them."""
    import torch

    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1) @ v


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


def numbers(device: str, dtype: str, shape: list[int], seed: int) -> Any:
    """Make q, k, v and do number n: normal numbers, drawn on the device."""
    import torch

    def make(number: int) -> tuple[Any, ...]:
        generator = torch.Generator(device=device).manual_seed(seed + number)
        kind = {"dtype": getattr(torch, dtype), "device": device, "generator": generator}
        return tuple(torch.randn(*shape, **kind) for _ in range(4))

    return make


def ends(shape: list[int]) -> list[tuple[int, int]]:
    """The first and the last head."""
    return sorted({(0, 0), (shape[0] - 1, shape[1] - 1)})


def sample(inputs: Any, outputs: Any) -> list[Any]:
    """For the first and the last head: [rows, k, v, these rows of q and do, of o and of dq, sums over all positions].

    The sums are four that belong together in pairs: dv and do, summed over positions; q·dq and k·dk, summed over all.
    """
    q, k, v, do = inputs
    length = q.shape[2]
    rows = sorted({0, 1 % length, length // 3, length // 2, max(length - 2, 0), length - 1})
    told = []
    for place in ends(list(q.shape)):
        heads = [tensor[place] for tensor in (q, do, *outputs[:2])]
        picked = [tensor[rows].cpu() for tensor in heads]
        sums: list[Any] = []
        if len(outputs) == 4:
            dq, dk, dv = (tensor[place].double() for tensor in outputs[1:])
            sums = [dv.sum(0).cpu(), do[place].double().sum(0).cpu()]
            sums += [float((q[place] * dq).sum()), float((k[place] * dk).sum())]
        told.append([rows, k[place].cpu(), v[place].cpu(), picked, sums])
    return told
