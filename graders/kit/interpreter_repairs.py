"""Makes Triton's interpreter compute bfloat16 as a GPU does, and drops what it does twice.

The interpreter keeps a bfloat16 as the 16 bits that it has in memory, and computes with those bits as if they were an
integer; from float32 it truncates. A kernel that is right on a GPU would give nonsense here. ``repair()`` decodes
operands to float32 and rounds results to the nearest even, as the hardware does. A problem's probe calls it when it is
imported: once, in the warm process, before any submission is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

# Methods of the interpreter's builder that take and give numbers. The operands of comparisons are decoded as well;
# their results are truth values and stay what they are.
_ARITHMETIC = (
    *("fadd", "fsub", "fmul", "fdiv", "frem", "precise_divf", "fma", "clampf"),
    *("minimumf", "maximumf", "minnumf", "maxnumf"),
    *(f"fcmp{order}{relation}" for order in "OU" for relation in ("LT", "GT", "LE", "GE", "EQ", "NE")),
    *("cos", "sin", "exp", "exp2", "log", "log2", "sqrt", "precise_sqrt", "rsqrt", "floor", "ceil", "erf"),
)
_MARK = "deepfield_repaired"


def repair() -> None:
    """Change the interpreter of this process, once; without the interpreter there is nothing to repair."""
    import triton
    from triton.runtime import interpreter

    builder = interpreter.InterpreterBuilder
    if not triton.knobs.runtime.interpret or hasattr(builder, _MARK):
        return
    setattr(builder, _MARK, True)
    for name in _ARITHMETIC:
        setattr(builder, f"create_{name}", _in_float32(getattr(builder, f"create_{name}"), interpreter))
    builder.cast_impl = _cast(builder.cast_impl, interpreter)
    builder.create_fp_to_fp = _rounded(builder.create_fp_to_fp, interpreter)
    builder.create_dot = _dot(builder.create_dot, interpreter)
    builder.get_bf16 = _constant(interpreter)
    for operations in (interpreter.ReduceOps, interpreter.ScanOps):
        operations.apply_impl = _reduced(operations.apply_impl, interpreter)
    _patch_once_per_launch(interpreter)
    with suppress(ImportError):
        import triton.experimental.gluon  # the first launch of every worker would import it
    # a third of the time of a kernel; a GPU does not look for overflowing integers either
    interpreter.interpreter_builder.options = interpreter.InterpreterOptions(sanitize_overflow=False)


# ---- bfloat16 --------------------------------------------------------------------------------------------------------


def decode(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The numbers of some bfloat16 bits: they are the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def encode(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bfloat16 bits of some numbers, rounded to nearest even; NaN stays NaN."""
    numbers = np.ascontiguousarray(numbers, dtype=np.float32)
    bits = numbers.view(np.uint32)
    upper = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(numbers), np.uint16(0x7FC0), upper)


def _is_bfloat16(value: Any, interpreter: Any) -> bool:
    return isinstance(value, interpreter.TensorHandle) and value.dtype == interpreter.tl.bfloat16


def _decoded(value: Any, interpreter: Any) -> Any:
    if not _is_bfloat16(value, interpreter):
        return value
    return interpreter.TensorHandle(decode(value.data), interpreter.tl.float32)


def _encoded(handle: Any, interpreter: Any) -> Any:
    return interpreter.TensorHandle(encode(handle.data), interpreter.tl.bfloat16)


def _in_float32(method: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
    def computed(builder: Any, *args: Any) -> Any:
        if not any(_is_bfloat16(value, interpreter) for value in args):
            return method(builder, *args)
        result = method(builder, *(_decoded(value, interpreter) for value in args))
        return _encoded(result, interpreter) if result.data.dtype == np.float32 else result

    return computed


def _cast(method: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
    tl = interpreter.tl

    def cast(builder: Any, source: Any, target: Any) -> Any:
        wanted = target.scalar
        if _is_bfloat16(source, interpreter):
            return source if wanted == tl.bfloat16 else method(builder, _decoded(source, interpreter), wanted)
        if wanted == tl.bfloat16:
            return _encoded(method(builder, source, tl.float32), interpreter)
        return method(builder, source, target)

    return cast


def _rounded(method: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
    """A cast that says how to round; towards zero is what the interpreter does right."""

    def convert(builder: Any, source: Any, target: Any, rounding: Any) -> Any:
        nearest = rounding != interpreter._ir.ROUNDING_MODE.RTZ
        if nearest and target.scalar == interpreter.tl.bfloat16 and source.dtype == interpreter.tl.float32:
            return _encoded(source, interpreter)
        return method(builder, source, target, rounding)

    return convert


def _dot(method: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
    """The sum of a product has the type of what it is added to, never bfloat16."""

    def dot(builder: Any, a: Any, b: Any, *rest: Any) -> Any:
        return method(builder, _decoded(a, interpreter), _decoded(b, interpreter), *rest)

    return dot


def _constant(interpreter: Any) -> Callable[..., Any]:
    def constant(_builder: Any, value: float) -> Any:
        return interpreter.TensorHandle(encode(np.array([value], dtype=np.float32)), interpreter.tl.bfloat16)

    return constant


def _reduced(method: Callable[..., Any], interpreter: Any) -> Callable[..., Any]:
    tl = interpreter.tl

    def retyped(tensor: Any, handle: Any) -> Any:
        kind = tl.block_type(handle.dtype, list(tensor.shape)) if tensor.type.is_block() else handle.dtype
        return tl.core.tensor(handle, kind)

    def apply(operation: Any, tensors: Any) -> Any:
        if not any(_is_bfloat16(tensor.handle, interpreter) for tensor in tensors):
            return method(operation, tensors)
        found = method(operation, tuple(retyped(one, _decoded(one.handle, interpreter)) for one in tensors))
        several = isinstance(found, list | tuple)
        answers = [
            retyped(one, _encoded(one.handle, interpreter)) if one.handle.dtype == tl.float32 else one
            for one in (found if several else [found])
        ]
        return type(found)(answers) if several else answers[0]

    return apply


# ---- speed -----------------------------------------------------------------------------------------------------------


def _patch_once_per_launch(interpreter: Any) -> None:
    """Every call of tl.sum or tl.max patches the whole language again: a quarter of the time of a kernel."""
    patched: set[int] = set()
    restore = interpreter._LangPatchScope.restore

    def restored(scope: Any) -> None:
        patched.clear()
        restore(scope)

    def call(function: Any, *args: Any, **kwargs: Any) -> Any:
        if id(function.fn) not in patched:
            interpreter._patch_lang(function.fn)
            patched.add(id(function.fn))
        try:
            return function.rewrite()(*args, **kwargs)
        except Exception as error:
            raise interpreter.InterpreterError(repr(error)) from error

    interpreter._LangPatchScope.restore = restored
    interpreter.InterpretedFunction.__call__ = call
