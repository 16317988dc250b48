"""Runs inside the worker: a function of the submission on views of given memory, its traffic counted; and the races."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graders.kit import autotuning, interpreter_repairs, traffic
from graders.kit.device_peaks import copy_race, product_race
from graders.kit.device_timing import Clock, race
from graders.kit.storages import Storages
from graders.kit.torch_operators import OperatorLog

autotuning.repair()
interpreter_repairs.repair()
# Made before the submission is loaded, which could put other clocks in their place.
CLOCKS = {"cuda": Clock("cuda"), "cpu": Clock("cpu")}


def measured(module: Any, name: str, inputs: list[dict[str, Any]]) -> list[Any]:
    """[answer, record of the traffic, indices of the inputs that were changed]; the answer is called "out" there."""
    import torch

    views = [view(**given) for given in inputs]
    before = [given["base"].clone() for given in inputs]
    with traffic.counting(fence=True) as record:
        for index, tensor in enumerate(views):
            traffic.watch(**{f"in{index}": tensor})
        answer = getattr(module, name)(*views)
        if isinstance(answer, torch.Tensor) and answer.layout == torch.strided:
            traffic.watch(out=answer)
    changed = [index for index, given in enumerate(inputs) if not same_bits(given["base"], before[index])]
    return [answer, record.as_wire(), changed]


def view(base: Any, rows: Sequence[int], columns: Sequence[int], transposed: bool) -> Any:
    """base[start:stop:step, start:stop:step], and its transpose if asked for."""
    part = base[slice(*rows), slice(*columns)]
    return part.T if transposed else part


def same_bits(first: Any, second: Any) -> bool:
    """Whether two tensors are equal, NaN included."""
    import torch

    return bool(torch.equal(first.view(torch.uint8), second.view(torch.uint8)))


# ---- the GPU rung ----


def softmax_race(module: Any, device: str, size: list[int], dtype: str, repetitions: int) -> dict[str, Any]:
    """The submission's softmax beside five unfused torch operations; the same rows are looked at after every call."""
    import torch

    def look(inputs: Sequence[Any], output: Any) -> Any:
        rows = sorted({0, size[0] // 3, size[0] - 1})
        return [inputs[0][rows].cpu(), output[rows].cpu()]

    functions = {"yours": module.softmax, "unfused": unfused_softmax}
    make = numbers(torch, device, dtype, [size])
    return {
        **race(functions, make, clock=CLOCKS[device], repetitions=repetitions, look=look).as_wire(),
        "operators": operators_of(module.softmax, make(0), device),
    }


def unfused_softmax(x: Any) -> Any:
    """Each operation reads and writes the whole matrix: 8·M·N + 4·M elements in all."""
    shifted = x - x.amax(dim=1, keepdim=True)
    numerator = shifted.exp()
    return numerator / numerator.sum(dim=1, keepdim=True)


def matmul_race(module: Any, device: str, size: list[int], dtype: str, repetitions: int) -> dict[str, Any]:
    """The submission's product beside the library's; some rows and columns are looked at after every call."""
    import torch

    def look(inputs: Sequence[Any], output: Any) -> Any:
        a, b = inputs
        rows, columns = sorted({0, size[0] // 3, size[0] - 1}), sorted({0, size[1] // 2, size[1] - 1})
        return [a[rows].cpu(), b[:, columns].cpu(), output[rows][:, columns].cpu()]

    functions = {"yours": module.matmul, "library": LIBRARY_PRODUCT}
    make = numbers(torch, device, dtype, [[size[0], size[2]], [size[2], size[1]]])
    return {
        **race(functions, make, clock=CLOCKS[device], repetitions=repetitions, look=look).as_wire(),
        "operators": operators_of(module.matmul, make(0), device),
    }


def _library_product() -> Any:
    import torch

    return torch.matmul


LIBRARY_PRODUCT = _library_product()


def numbers(torch: Any, device: str, dtype: str, shapes: list[list[int]]) -> Any:
    """Make inputs number n: normal numbers from a seed of their own, drawn on the device."""

    def make(number: int) -> tuple[Any, ...]:
        generator = torch.Generator(device=device).manual_seed(number)
        kind = {"dtype": getattr(torch, dtype), "device": device, "generator": generator}
        return tuple(torch.randn(*shape, **kind) for shape in shapes)

    return make


def operators_of(function: Any, inputs: Sequence[Any], device: str) -> dict[str, int]:
    """The torch operators that one call runs, at full size; on the stand-in without those of the interpreter."""
    if device == "cpu":
        with traffic.counting() as record:
            function(*inputs)
        return record.operators
    log = OperatorLog()
    with log.listening(Storages()):
        function(*inputs)
    return dict(log.counts)


def peaks(module: Any, device: str, copy_bytes: int, product_size: int, dtype: str, repetitions: int) -> dict[str, Any]:
    """Seconds that the device takes to copy a buffer, and for the library's product of two squares."""
    copied = copy_race(CLOCKS[device], size_bytes=copy_bytes, repetitions=repetitions)
    multiplied = product_race(CLOCKS[device], size=product_size, dtype=dtype, repetitions=repetitions)
    return {
        "copy": copied.seconds["copy"],
        "product": multiplied.seconds["product"],
        "notes": copied.notes + multiplied.notes,
        "device": copied.device,
    }
