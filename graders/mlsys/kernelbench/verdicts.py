"""What the record of a forward pass says: whose work it was, and whether it was done as it must be on a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepfield_cli.grading import CheckFailed, Tensor

from .telling import Record, Touched

# What torch may do inside forward: give memory, with or without a constant in it, and look at it differently.
ALLOCATIONS = frozenset(
    f"aten::{name}"
    for name in (
        *("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "zeros", "zeros_like", "new_zeros"),
        *("ones", "ones_like", "new_ones", "full", "full_like", "new_full", "scalar_tensor", "zero_", "fill_"),
    )
)
VIEWS = frozenset(
    f"aten::{name}"
    for name in (
        *("view", "_unsafe_view", "reshape", "_reshape_alias", "flatten", "squeeze", "unsqueeze", "transpose", "t"),
        *("permute", "expand", "expand_as", "as_strided", "slice", "select", "narrow", "split", "chunk", "unbind"),
        *("detach", "alias", "unfold", "diagonal", "movedim", "view_as", "swapaxes", "unsafe_split", "lift_fresh"),
        *("split_with_sizes", "set_", "resize_"),
    )
)
_NOTHING = Touched(size=1)


def is_work(operator: str) -> bool:
    """Whether a torch operator does what kernels should."""
    return operator not in ALLOCATIONS and operator not in VIEWS


def faults(record: Record, inputs: Sequence[str], parameters: Sequence[str]) -> Iterator[CheckFailed]:
    """Everything that the record of one forward pass has against it, the gravest first.

    Args:
        record: what the traffic counter told.
        inputs: names of forward's arguments, in order.
        parameters: names of the parameters that forward needs.

    """
    if record.notes:
        yield CheckFailed(
            "Triton's interpreter was changed while your kernels ran",
            actual="; ".join(record.notes),
            diagnosis="interpreter-changed",
        )
    work = sorted(filter(is_work, record.operators))
    if work:
        yield CheckFailed(
            "torch computes inside forward, where your kernels should",
            expected="from torch: memory and views of it",
            actual=", ".join(work),
            diagnosis="torch-does-the-work",
        )
    if not record.launches:
        yield CheckFailed("forward launched no kernel", diagnosis="no-kernel")
        return
    yield from _memory_faults(record.tensors)
    yield from _coverage_faults(record.tensors, inputs, parameters)


def _memory_faults(tensors: Mapping[str, Touched]) -> Iterator[CheckFailed]:
    outside = tensors.get("outside", _NOTHING)
    if outside.stored:
        yield CheckFailed(
            "a kernel stores outside of every tensor", actual=f"{outside.stored} bytes", diagnosis="writes-past-the-end"
        )
    if outside.loaded:
        yield CheckFailed(
            "a kernel loads outside of every tensor", actual=f"{outside.loaded} bytes", diagnosis="reads-past-the-end"
        )
    for name, touched in tensors.items():
        if touched.contested:
            yield CheckFailed(
                f"programs of one launch get in each other's way at {_in_words(name)}",
                actual=f"{touched.contested} bytes that one program stored and another one touched",
                diagnosis="programs-race",
            )


def _coverage_faults(
    tensors: Mapping[str, Touched], inputs: Sequence[str], parameters: Sequence[str]
) -> Iterator[CheckFailed]:
    told = {part: (name, touched) for name, touched in tensors.items() for part in name.split("|")}
    for part, (name, touched) in told.items():
        if part.startswith("output:") and touched.kept < touched.size:
            yield CheckFailed(
                f"{_in_words(name)} holds values that no kernel stored there",
                expected=f"{touched.size} bytes stored by your kernels",
                actual=f"{touched.kept} bytes",
                diagnosis="output-not-stored" if touched.distinct_stored == 0 else "part-never-stored",
            )
    wanted = [(f"input:{number}", name) for number, name in enumerate(inputs)]
    wanted += [(f"parameter:{name}", name) for name in parameters]
    for part, name in wanted:
        _, touched = told.get(part, (part, _NOTHING))
        if touched.distinct_loaded < touched.size:
            share = 100.0 * touched.distinct_loaded / touched.size
            yield CheckFailed(
                f"your kernels do not read all of {name}",
                expected="every element loaded at least once",
                actual=f"{share:.0f} % of its elements were loaded",
                diagnosis="input-not-read",
            )
    for name, touched in tensors.items():
        if name.startswith("other:") and touched.distinct_loaded > touched.distinct_stored:
            yield CheckFailed(
                "a kernel loads values that neither came in nor were stored by a kernel",
                actual=f"{touched.distinct_loaded} bytes",
                diagnosis="computed-elsewhere",
            )


def _in_words(name: str) -> str:
    """The name of a storage as the learner would say it."""
    kind, _, rest = name.partition("|")[0].partition(":")
    words = {"output": f"output {rest}", "input": f"input {rest}", "parameter": rest, "other": "a buffer"}
    return words.get(kind, name)


# ---- what a fused task saves -----------------------------------------------------------------------------------------


def handed_on(record: Record) -> int:
    """Bytes that one kernel hands to another through memory: stored beyond the outputs, and loaded from no input."""
    total = 0
    for name, touched in record.tensors.items():
        parts = name.split("|")
        if any(part.startswith("output:") for part in parts):
            total += touched.stored - touched.distinct_stored + touched.loaded
        elif all(part.startswith("other:") for part in parts):
            total += touched.stored + touched.loaded
    return total


def times_read(record: Record, number: int) -> float:
    """How often an input is read, on the average over its elements."""
    touched = record.tensors.get(f"input:{number}", _NOTHING)
    return touched.loaded / touched.size if touched.size else 0.0


def is_tensor(value: Any) -> bool:
    """Whether a value that came back is a torch tensor."""
    return isinstance(value, Tensor) and value.kind == "torch"
