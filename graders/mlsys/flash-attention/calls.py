"""The two passes called with every byte counted; what comes back has the promised form, or the check has failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor, Tolerance, expect, expect_close, expect_equal
from graders.kit import kernel_record
from graders.kit.attention_mistakes import KernelMistakes, Mistake
from graders.kit.kernel_record import KernelRecord

from .backward_mistakes import Slip
from .cases import Case
from .misconceptions import Addresses, Backward, LogSums

# Relative to the largest element of the output; for a row that sees one key, gradients are differences of equal numbers
# and lse may lie near 0, where what is left of float32 is absolute. In 24 runs of all checks the three shipped styles
# used 12 % of this for o, 4 % for lse, 9 % for gradients and 30 % at T = 1. Known mistakes are 50 times as far away.
FORWARD = Tolerance(relative=1e-5)
LSE = Tolerance(relative=1e-5, absolute=1e-5)
BACKWARD = Tolerance(relative=2e-5, absolute=1e-5)
# Near 2,000, float32 has steps of 1.2e-4: lse is rounded by as much, and so are scores where q was scaled first.
# The shipped styles used 1.2 % of this; whoever scales q by log2(e) first, 6 %.
LARGE = Tolerance(relative=5e-3)
# The same runs used 25 % in float16 and 63 % in bfloat16, where the output's own rounding, up to 2^-8, comes on top.
HALF_FORWARD = {"float16": Tolerance(relative=2e-3), "bfloat16": Tolerance(relative=2e-3 + 2.0**-8)}
# Weights and dS are rounded as well: 24 % and 32 % of these were used.
HALF_BACKWARD = {"float16": Tolerance(relative=3e-3), "bfloat16": Tolerance(relative=2e-2)}
# Where gradients are exactly 0, products of half precision cancel to what float32 leaves of numbers near 10.
NARROW_BACKWARD = {name: replace(tolerance, absolute=1e-3) for name, tolerance in HALF_BACKWARD.items()}


@dataclass(frozen=True)
class Passed:
    """What one call gave, by name, and what it moved."""

    outputs: dict[str, Tensor]
    record: KernelRecord
    allocated: int  # bytes that torch allocated, or that kernels touched otherwise
    largest_block: int  # elements loaded or stored at once, masked lanes included


def run_forward(submission: Submission, case: Case, sram_bytes: int | None = None) -> Passed:
    """Call flash_forward, with another SRAM_BYTES where one is given; values are left to the check."""
    submission.get("flash_forward", opaque=True)  # if it is missing, this says so
    told = submission.probe("forward", *case.inputs(), case.heads.causal, sram_bytes)
    forms = {"o": (case.shape, case.dtype), "lse": (case.shape[:3], "float32")}
    return _passed(told, "flash_forward", forms)


def run_backward(submission: Submission, case: Case, inputs: list[Tensor] | None = None) -> Passed:
    """Call flash_backward; values are left to the check."""
    submission.get("flash_backward", opaque=True)
    told = submission.probe("backward", *(inputs or case.inputs_of_backward()), case.heads.causal)
    return _passed(told, "flash_backward", dict.fromkeys(("dq", "dk", "dv"), (case.shape, case.dtype)))


def run_both(submission: Submission, case: Case, other: Case) -> dict[str, Tensor]:
    """flash_backward on what flash_forward has just returned, as it lies in memory; in between, one on other inputs."""
    inputs = [*case.inputs(), case.inputs_of_backward()[-1]]
    told = submission.probe("both", inputs, other.inputs(), case.heads.causal)
    names = ("o", "lse", "dq", "dk", "dv")
    expect(isinstance(told, list) and len(told) == len(names), "the probe's answer cannot be read")
    outputs = dict(zip(names, told, strict=True))
    for name, output in outputs.items():
        form = (case.shape[:3], "float32") if name == "lse" else (case.shape, case.dtype)
        _expect_form(output, name, *form)
    return outputs


def _passed(told: Any, function: str, forms: dict[str, tuple[tuple[int, ...], str]]) -> Passed:
    expect(isinstance(told, list) and len(told) == 2, "the probe's answer cannot be read", diagnosis="bad-answer")
    answers, record = told[0], kernel_record.read(told[1])
    names = ", ".join(forms)
    complete = isinstance(answers, tuple | list) and len(answers) == len(forms)
    words = f"{function} does not return {len(forms)} tensors"
    expect(complete, words, expected=f"({names})", actual=type(answers).__name__, diagnosis="wrong-type")
    outputs = dict(zip(forms, answers, strict=True))
    for name, (shape, dtype) in forms.items():
        _expect_form(outputs[name], name, shape, dtype)
    loaded, stored = record.outside
    words = f"a kernel of {function} reached outside of its tensors"
    actual = f"{loaded} bytes loaded and {stored} bytes stored where no tensor is"
    expect(loaded == stored == 0, words, actual=actual, diagnosis="outside-the-tensors")
    words = "Triton's interpreter was changed, so what it counts means nothing"
    expect(not record.notes, words, actual="; ".join(record.notes)[:500], diagnosis="no-kernel")
    return Passed(outputs, record, _allocated(told[1], record), _count(told[1], "largest_block"))


def _expect_form(output: Any, name: str, shape: tuple[int, ...], dtype: str) -> None:
    is_tensor = isinstance(output, Tensor) and output.kind == "torch"
    words = f"{name} is not a tensor"
    expect(is_tensor, words, expected="a torch tensor", actual=type(output).__name__, diagnosis="wrong-type")
    words = f"{name} has the wrong shape"
    same = tuple(output.shape) == tuple(shape)
    expect(same, words, expected=str(list(shape)), actual=str(list(output.shape)), diagnosis="wrong-shape")
    words = f"{name} has the wrong dtype"
    expect(output.dtype == dtype, words, expected=dtype, actual=output.dtype, diagnosis="wrong-dtype")


def _allocated(wire: Any, record: KernelRecord) -> int:
    """What torch allocated, or what kernels touched, whichever is more: numpy's memory shows only there."""
    return max(_count(wire, "allocated_bytes"), sum(tensor["size"] for tensor in record.tensors.values()))


def _count(wire: Any, name: str) -> int:
    told = wire.get(name)
    expect(type(told) is int and told >= 0, "the count of your kernels' traffic cannot be read", diagnosis="bad-answer")
    return int(told)


# ---- comparing -------------------------------------------------------------------------------------------------------


def expect_forward(
    case: Case,
    passed: Passed,
    what: str = "",
    known: tuple[Mistake, ...] = (),
    *,
    addresses: bool = False,
    tolerance: Tolerance | None = None,
) -> None:
    """Compare o and lse with float64."""
    bugs = Addresses(case) if addresses else KernelMistakes(case.heads, known)
    tolerance = tolerance or HALF_FORWARD.get(case.dtype, FORWARD)
    o, lse = passed.outputs["o"], passed.outputs["lse"]
    expect_close(o, case.answer.o, tolerance=tolerance, what=f"o{what}", dtype=case.dtype, bugs=bugs)
    expect_close(lse, case.answer.lse, tolerance=LSE, what=f"lse{what}", dtype="float32", bugs=LogSums(case.heads))


def expect_backward(
    case: Case,
    passed: Passed,
    what: str = "",
    known: tuple[Slip, ...] = (),
    *,
    addresses: bool = False,
    tolerance: Tolerance | None = None,
    names: tuple[str, ...] = ("dv", "dk", "dq"),
) -> None:
    """Compare dv, dk and dq with float64, in that order: each shows one step more of the algorithm."""
    tolerance = tolerance or HALF_BACKWARD.get(case.dtype, BACKWARD)
    for name in names:
        bugs = Addresses(case, name) if addresses else Backward(case, known, name)
        right = case.gradients[name]
        expect_close(
            passed.outputs[name], right, tolerance=tolerance, what=f"{name}{what}", dtype=case.dtype, bugs=bugs
        )


@contextmanager
def named(diagnosis: str) -> Iterator[None]:
    """Whatever fails in here is this mistake: the inputs were drawn for it."""
    try:
        yield
    except CheckFailed as failure:
        failure.diagnosis = diagnosis
        raise


def raised_as(diagnosis: str, compare: Any, *arguments: Any, **options: Any) -> None:
    """Let a comparison fail only if it finds this mistake: at other sizes the same one reads what is not there."""
    try:
        compare(*arguments, **options)
    except CheckFailed as failure:
        if failure.diagnosis == diagnosis:
            raise


# ---- the two functions that only count -------------------------------------------------------------------------------


def ask_blocks(submission: Submission, head_dim: int, sram_bytes: int, element_bytes: int) -> tuple[int, int]:
    """Call block_sizes; two powers of two, 16 or more."""
    told = submission.call("block_sizes", head_dim, sram_bytes, element_bytes)
    what = f"block_sizes({head_dim}, {sram_bytes}, {element_bytes})"
    complete = isinstance(told, tuple | list) and len(told) == 2
    words = f"{what} is not two numbers"
    expect(complete, words, expected="(block_m, block_n)", actual=repr(told)[:80], diagnosis="wrong-type")
    sizes = tuple(plain_integer(item, what) for item in told)
    good = all(size >= 16 and size & (size - 1) == 0 for size in sizes)
    words = f"{what} are no powers of two from 16 on"
    expect(good, words, actual=f"{sizes}", diagnosis="not-powers-of-two")
    return sizes[0], sizes[1]


def ask_io(submission: Submission, length: int, blocks: Any, causal: bool) -> int:
    """Call io_bytes for blocks."""
    told = submission.call(
        "io_bytes", length, blocks.head_dim, blocks.queries, blocks.keys, blocks.element_bytes, causal
    )
    return plain_integer(told, "io_bytes")


def plain_integer(value: Any, what: str) -> int:
    """An int, also where numpy or torch made it."""
    if isinstance(value, Tensor) and value.array.size == 1 and value.array.dtype.kind in "iu":
        value = value.array.reshape(()).item()
    words = f"{what} does not give whole numbers"
    expect(type(value) is int, words, expected="int", actual=type(value).__name__, diagnosis="wrong-type")
    return int(value)


def expect_same_bits(first: Tensor, second: Tensor, what: str) -> None:
    """Two calls with the same arguments gave the same numbers, to the last bit."""
    same = np.array_equal(first.array, second.array, equal_nan=True)
    expect_equal(bool(same), True, what=f"two calls give the same {what}")
