"""Runs inside the worker, beside the submission: makes ModelNew, calls it, and tells what its kernels moved."""

from __future__ import annotations

import copy
import importlib
import itertools
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from graders.kit import autotuning, device_peaks, device_timing, interpreter_repairs, task_files, traffic
from graders.kit.storages import Storages
from graders.kit.torch_operators import OperatorLog

interpreter_repairs.repair()
autotuning.repair()
with suppress(ImportError):  # what the first launch would import, here once for all workers
    importlib.import_module("triton.experimental.gluon")


def forwards(
    module: Any, task: str, init: Sequence[Any], parameters: dict[str, Any], calls: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """Build one model and call it on several inputs, each time in the same memory.

    Returns {"fault": text} where there is no model with these parameters; else {"calls": [...]} with, for each call,
    what it returned and what was seen. The first answer is told a second time at the end, as it is then.
    """
    import torch

    model = module.model_new(task)
    if not callable(model):
        return {"fault": "no-class", "shown": type(model).__name__}
    model = model(*init)
    if not isinstance(model, torch.nn.Module):
        return {"fault": "no-module", "shown": type(model).__name__}
    missing = _load(model, parameters)
    if missing is not None:
        return {"fault": "no-parameter", "shown": missing}
    names, memory = [f"input:{number}" for number in range(len(calls[0]))], [item.clone() for item in calls[0]]
    threads = threading.active_count()
    told, first = [], None
    for values in calls:
        with torch.no_grad():
            for place, value in zip(memory, values, strict=True):
                place.copy_(value)
        output, seen = _seen(torch, model, dict(zip(names, memory, strict=True)))
        first = output if first is None else first
        told.append({"output": _as_told(torch, output), **seen, "unchanged": _unchanged(memory, values)})
    kept = all(_same(model.state_dict()[name], value) for name, value in parameters.items())
    return {
        "calls": told,
        "first": _as_told(torch, first),
        "parameters_unchanged": kept,
        "threads": threading.active_count() - threads,
    }


def _load(model: Any, parameters: dict[str, Any]) -> str | None:
    """Give the model the values; or tell which parameter it lacks."""
    state = model.state_dict()
    for name, value in parameters.items():
        if name not in state or tuple(state[name].shape) != tuple(value.shape):
            found = f"{tuple(state[name].shape)}" if name in state else ", ".join(state) or "nothing"
            return f"{name} {tuple(value.shape)}|{found}"
    model.load_state_dict(parameters, strict=False)
    return None


def _seen(torch: Any, model: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """One forward pass with everything that moves counted, and with memory that nobody has written to full of NaN."""
    own = {f"parameter:{name}": parameter.detach() for name, parameter in model.state_dict().items()}
    with torch.no_grad(), np.errstate(all="ignore"), traffic.counting(fence=True) as record, _poisoned(torch):
        traffic.watch(**inputs, **own)
        output = model(*inputs.values())
        for number, one in enumerate(_parts(output)):
            if isinstance(one, torch.Tensor) and one.layout == torch.strided:
                traffic.watch(**{f"output:{number}": one})
    return output, {"traffic": record.as_wire(), "plain": all(type(one) is torch.Tensor for one in _parts(output))}


@contextmanager
def _poisoned(torch: Any) -> Iterator[None]:
    """Inside, memory that torch allocates without a value holds NaN: nothing can be read out of what was freed.

    Torch does so where it must be deterministic. Its public switch imports the compiler: seconds in every worker.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch._C._set_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch._C._set_deterministic_algorithms(before[0], warn_only=before[1])


def _parts(output: Any) -> list[Any]:
    return list(output) if isinstance(output, tuple | list) else [output]


def _as_told(torch: Any, output: Any) -> Any:
    """A copy, so that a later call that writes into the same memory shows; of plain tensors only: they copy plainly."""
    copies = [one.clone() if type(one) is torch.Tensor else one for one in _parts(output)]
    return tuple(copies) if isinstance(output, tuple | list) else copies[0]


def _unchanged(memory: Sequence[Any], values: Sequence[Any]) -> bool:
    return all(_same(now, before) for now, before in zip(memory, values, strict=True))


def _same(one: Any, other: Any) -> bool:
    return bool((one == other).all())


# ---- speed, on a device: one task at a time --------------------------------------------------------------------------

# The clocks take hold of the time before a submission is loaded; a device is touched at their first use.
_CLOCKS = {device: device_timing.Clock(device) for device in ("cuda", "cpu")}
_HELD: dict[str, Any] = {}


def begin(module: Any, role: str, task: str, source: str, device: str, seed: int) -> dict[str, Any]:
    """Read a task file and make the model: the file's own as the reference, the submission's as the contender."""
    import torch

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    _HELD.clear()
    try:
        file = task_files.load(source, task, with_model=role == "reference")
        init = task_files.init_inputs(file, device)
    except task_files.TaskFileError as error:
        return {"fault": str(error)}
    kind = file.Model if role == "reference" else module.model_new(task)
    model = task_files.model(kind, init, seed, device)
    _HELD.update(file=file, model=model, device=device)
    return {"parameters": {name: list(value.shape) for name, value in model.named_parameters()}}


def shake_weights(module: Any, seed: int) -> None:
    """Move all parameters, so that none is 1 or 0 or known beforehand: the same way in both processes."""
    import torch

    with torch.no_grad(), torch.device(_HELD["device"]):
        for name, value in sorted(_HELD["model"].named_parameters()):
            task_files.seed_everything(seed + zlib.crc32(name.encode()))
            spread = float(value.std()) if value.numel() > 1 else 0.0
            value.add_(torch.randn_like(value), alpha=0.5 * spread if spread > 0 else 0.3)


def answer(module: Any, seed: int, places: int, count: int, double: bool) -> dict[str, Any]:
    """The model's outputs for the inputs of a seed, at places that another seed chooses; in float64 where it can be."""
    import torch

    inputs = _fresh_inputs(seed)
    model = _HELD["model"]
    if double:
        model = copy.deepcopy(model).double()
        inputs = [_doubled(item) for item in inputs]
    before = [device_timing.checksum(item) for item in inputs]
    with torch.no_grad():
        output = model(*inputs)
    unchanged = [device_timing.checksum(item) for item in inputs] == before
    size = sum(item.numel() * item.element_size() for item in inputs if hasattr(item, "element_size"))
    return {"outputs": _sampled(output, places, count), "unchanged": unchanged, "input_bytes": size}


def watched(module: Any, seed: int) -> dict[str, Any]:
    """One call, not timed: kernels launched, torch operators, threads left behind."""
    import torch

    inputs = _fresh_inputs(seed)
    threads, operators = threading.active_count(), OperatorLog()
    with torch.no_grad(), _launches(operators) as launches, operators.listening(Storages()):
        _HELD["model"](*inputs)
    threads = threading.active_count() - threads
    return {"launches": len(launches), "operators": dict(operators.counts), "threads": threads}


@contextmanager
def _launches(operators: OperatorLog) -> Iterator[list[str]]:
    """The names of the kernels that are launched inside; what a launch does with torch is not the submission's."""
    kinds = [
        importlib.import_module("triton.runtime.jit").JITFunction,
        importlib.import_module("triton.runtime.interpreter").InterpretedFunction,
    ]
    names: list[str] = []

    def noting(run: Any) -> Any:
        def noted(kernel: Any, *args: Any, **kwargs: Any) -> Any:
            names.append(str(kernel.fn.__name__))
            with operators.silent():
                return run(kernel, *args, **kwargs)

        return noted

    originals = [kind.run for kind in kinds]
    for kind, run in zip(kinds, originals, strict=True):
        kind.run = noting(run)
    try:
        yield names
    finally:
        for kind, run in zip(kinds, originals, strict=True):
            kind.run = run


def timed(module: Any, seed: int, repetitions: int, warm_ups: int, count: int) -> dict[str, Any]:
    """Time calls on inputs that nobody has seen, and tell what each output holds at places that are drawn for it."""
    import torch

    numbers = itertools.count(seed)
    with torch.no_grad():
        timings = device_timing.race(
            {"model": _HELD["model"]},
            lambda number: _fresh_inputs(seed + number),
            clock=_CLOCKS[_HELD["device"]],
            repetitions=repetitions,
            warm_ups=warm_ups,
            look=lambda inputs, output: _sampled(output, next(numbers), count),
        )
    return timings.as_wire()


def peaks(module: Any, device: str, copy_bytes: int, product_size: int) -> dict[str, Any]:
    """Seconds of a large copy and of a large product in TF32, the fastest that float32 data can be multiplied."""
    import torch

    clock = _CLOCKS[device]
    copies = device_peaks.copy_race(clock, size_bytes=copy_bytes, repetitions=9)
    torch.backends.cuda.matmul.allow_tf32 = True
    products = device_peaks.product_race(clock, size=product_size, dtype="float32", repetitions=9)
    torch.backends.cuda.matmul.allow_tf32 = False
    return {"copy": copies.seconds["copy"], "product": products.seconds["product"], "device": clock.name()}


def attempted(module: Any, tasks: Sequence[str]) -> list[str]:
    """The tasks for which the submission has something: a file, or an entry in its dictionary."""
    return [task for task in tasks if _has(module, task)]


def _has(module: Any, task: str) -> bool:
    try:
        module.model_new(task)
    except (ImportError, LookupError, AttributeError, NotImplementedError):
        return False
    except Exception:  # noqa: BLE001 - it is there, and will say what is wrong with it when it is measured
        return True
    return True


def end(module: Any) -> None:
    """Let go of the task, so that the next one has the device's memory."""
    import torch

    _HELD.clear()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _fresh_inputs(seed: int) -> list[Any]:
    """The inputs of a seed, always in the same memory: an answer that was remembered by address is a wrong one."""
    fresh = task_files.inputs(_HELD["file"], seed, _HELD["device"])
    memory = _HELD.setdefault("memory", fresh)
    for number, (place, value) in enumerate(zip(memory, fresh, strict=True)):
        if hasattr(value, "copy_") and (place.shape, place.dtype) == (value.shape, value.dtype):
            place.copy_(value)
        else:
            memory[number] = value
    return list(memory)


def _doubled(item: Any) -> Any:
    return item.double() if hasattr(item, "is_floating_point") and item.is_floating_point() else item


def _sampled(output: Any, places: int, count: int) -> list[dict[str, Any]]:
    """Of each output its type, shape, dtype, and the values at some places; all of them where there are few."""
    import torch

    told: list[dict[str, Any]] = []
    for number, one in enumerate(_parts(output)):
        if type(one) is not torch.Tensor:
            told.append({"kind": type(one).__name__})
            continue
        flat, size = one.reshape(-1), one.numel()
        rng = np.random.default_rng([places, number])
        chosen = rng.integers(0, max(size, 1), count) if size > count else np.arange(size)
        values = flat[torch.from_numpy(chosen).to(flat.device)]
        told.append({"kind": "Tensor", "shape": list(one.shape), "values": values.cpu()})
    return told
