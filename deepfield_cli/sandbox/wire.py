"""Plain values on the wire: msgpack with a few extensions, the same on both sides, and never a pickle.

What crosses is None, bool, int, float, str, bytes, list, tuple, dict and arrays. On the way out of the worker every
subclass is reduced to its exact builtin by the builtin's own methods, so an overridden ``__iter__`` or ``__eq__`` of
the learner's is never asked. Anything else is kept in the worker and crosses as the number of a reference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    import numpy as np

# Frames above this are refused unread. The largest honest answer so far is a few MB of token ids; arrays of
# 64 M float32 still fit.
MAXIMUM_FRAME_BYTES = 256 * 1024 * 1024
# One container may hold this many items: 20 M ids are a 60 MB text, and cost the grader 160 MB at most.
MAXIMUM_ITEMS = 20_000_000

_ARRAY, _TUPLE, _REFERENCE, _BIG_INTEGER, _STREAM = 1, 2, 3, 4, 5

# dtypes that numpy lacks cross as integers of the same width, and are decoded to float32 in the grader
_TORCH_ONLY = {"bfloat16": "int16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
_NUMPY_DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)


class WireError(Exception):
    """A frame that cannot be encoded or decoded; the text says what is wrong with it."""


class Tensor:
    """An array on the wire, and what suites send and receive.

    Args:
        array: the values, any shape.
        kind: ``"torch"`` arrives as a torch tensor, ``"numpy"`` as a numpy array.
        layout: ``"contiguous"``, ``"strided"`` (every second element of a buffer) or ``"permuted"`` (axes stored in
            reverse order): same values, memory laid out otherwise.
        dtype: a torch dtype to convert to in the worker, where numpy has none (``"bfloat16"``); else array's own.

    """

    __slots__ = ("array", "dtype", "kind", "layout", "requires_grad")

    def __init__(
        self,
        array: Any,
        kind: str = "torch",
        layout: str = "contiguous",
        dtype: str | None = None,
        requires_grad: bool = False,
    ) -> None:
        import numpy as np

        self.array: np.ndarray[Any, Any] = np.asarray(array)
        self.kind = kind
        self.layout = layout
        self.dtype = dtype or self.array.dtype.name
        self.requires_grad = requires_grad

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return tuple(self.array.shape)

    def __repr__(self) -> str:
        return f"Tensor({self.kind} {self.dtype} {list(self.shape)})"


class Stream:
    """A list that the worker receives as a generator, one item after the other."""

    __slots__ = ("items",)

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = list(items)


class RemoteObject:
    """The number of a value that stays in the worker."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def encode(value: Any, *, keep: Callable[[Any], int] | None = None) -> bytes:
    """Return the bytes of a value; ``keep`` takes what is not plain and returns its reference number."""

    def other(item: Any) -> Any:
        return _encode_other(item, keep, other)

    try:
        return _pack(value, other)
    except WireError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireError(f"the value cannot be sent: {error}") from error


def decode(data: bytes | bytearray, *, resolve: Callable[[int], Any] = RemoteObject, worker: bool = False) -> Any:
    """Return the value of some bytes; strict, size-capped; ``worker`` makes tensors and generators real."""

    def extension(code: int, body: bytes) -> Any:
        return _decode_extension(code, body, resolve, worker, extension)

    try:
        return _unpack(data, extension)
    except WireError:
        raise
    except Exception as error:  # msgpack's own errors share no base class; any of them is a malformed frame
        raise WireError(f"malformed answer: {type(error).__name__}: {error}") from error


def _pack(value: Any, other: Callable[[Any], Any]) -> bytes:
    packed: bytes = msgpack.packb(
        value, default=other, strict_types=True, use_bin_type=True, unicode_errors="surrogatepass"
    )
    return packed


def _unpack(data: bytes | bytearray, extension: Callable[[int, bytes], Any]) -> Any:
    return msgpack.unpackb(
        data,
        ext_hook=extension,
        raw=False,
        strict_map_key=False,
        unicode_errors="surrogatepass",
        max_array_len=MAXIMUM_ITEMS,
        max_map_len=MAXIMUM_ITEMS,
    )


def _encode_other(item: Any, keep: Callable[[Any], int] | None, other: Callable[[Any], Any]) -> Any:
    kind = type(item)
    if kind is int:
        return msgpack.ExtType(_BIG_INTEGER, hex(item).encode())
    if kind is Tensor:
        return msgpack.ExtType(_ARRAY, _array_bytes(item.array, item.kind, item.dtype, item.layout, item.requires_grad))
    if kind is Stream:
        return msgpack.ExtType(_STREAM, _pack(item.items, other))
    if kind is RemoteObject:
        return msgpack.ExtType(_REFERENCE, _pack(item.number, other))
    if issubclass(kind, tuple):
        return msgpack.ExtType(_TUPLE, _pack(list(tuple.__iter__(item)), other))
    plain = _exact_builtin(item, kind)
    if plain is not None:
        return plain
    array = _array_of(item, kind)
    if array is not None:
        return msgpack.ExtType(_ARRAY, array)
    if keep is None:
        raise WireError(f"a value of type {kind.__name__} cannot be sent")
    return msgpack.ExtType(_REFERENCE, _pack(keep(item), other))


def _exact_builtin(item: Any, kind: type) -> Any:
    """Reduce a subclass to its builtin, with the builtin's own methods; None if it is none of them."""
    if _is_foreign(kind):
        return None
    if issubclass(kind, int):
        return int.__int__(item)
    if issubclass(kind, float):
        return float.__float__(item)
    if issubclass(kind, str):
        return str.__str__(item)
    if issubclass(kind, bytes):
        return bytes.__getitem__(item, slice(None)) if kind is bytes else bytes(memoryview(item))
    if kind in (bytearray, memoryview):
        return bytes(item)
    if issubclass(kind, list):
        return list(list.__iter__(item))
    if issubclass(kind, dict):
        return {key: dict.__getitem__(item, key) for key in dict.__iter__(item)}
    return None


def _is_foreign(kind: type) -> bool:
    """numpy's float64 is a float by inheritance, yet it is an array scalar to us."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.generic)


def _array_of(item: Any, kind: type) -> bytes | None:
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        return _torch_bytes(torch, item)
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ndarray"):
        return None
    if issubclass(kind, numpy.generic):
        return _array_bytes(numpy.asarray(item), "numpy", None, "contiguous", False)
    if issubclass(kind, numpy.ndarray):
        return _array_bytes(numpy.ndarray.view(item, numpy.ndarray), "numpy", None, "contiguous", False)
    return None


def _torch_bytes(torch: Any, item: Any) -> bytes:
    with torch._C.DisableTorchFunctionSubclass():
        tensor = torch.Tensor.detach(item)
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
            raise WireError("sparse, quantized and meta tensors are not understood: return a dense tensor")
        tensor = tensor.cpu().resolve_conj().resolve_neg().contiguous()
        name = str(tensor.dtype).removeprefix("torch.")
        if name in _TORCH_ONLY:
            tensor = tensor.view(getattr(torch, _TORCH_ONLY[name]))
        return _array_bytes(tensor.numpy(), "torch", name, "contiguous", bool(item.requires_grad))


def _array_bytes(array: Any, kind: str, dtype: str | None, layout: str, requires_grad: bool) -> bytes:
    stored = array.dtype.name
    if stored not in _NUMPY_DTYPES:
        raise WireError(f"an array of dtype {stored} cannot be sent")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    header = msgpack.packb([kind, dtype or stored, stored, list(array.shape), layout, requires_grad])
    body: bytes = array.tobytes()
    return len(header).to_bytes(4, "little") + bytes(header) + body


def _decode_extension(
    code: int, body: bytes, resolve: Callable[[int], Any], worker: bool, extension: Callable[[int, bytes], Any]
) -> Any:
    if code == _ARRAY:
        tensor = _decode_array(body)
        return _real_array(tensor) if worker else tensor
    if code == _TUPLE:
        return tuple(_unpack(body, extension))
    if code == _REFERENCE:
        return resolve(int(_unpack(body, extension)))
    if code == _BIG_INTEGER:
        return int(body, 16)
    if code == _STREAM and worker:
        return (item for item in _unpack(body, extension))
    raise WireError(f"malformed answer: unknown extension {code}")


def _decode_array(body: bytes) -> Tensor:
    import numpy as np

    split = 4 + int.from_bytes(body[:4], "little")
    kind, dtype, stored, shape, layout, requires_grad = msgpack.unpackb(body[4:split])
    if kind not in ("torch", "numpy") or stored not in _NUMPY_DTYPES or not isinstance(dtype, str):
        raise WireError("malformed answer: unknown array type")
    array = np.frombuffer(body, dtype=stored, offset=split).reshape(shape)
    return Tensor(_widen(array, dtype), kind=kind, layout=str(layout), dtype=dtype, requires_grad=bool(requires_grad))


def _widen(array: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """bfloat16 is the upper half of a float32: shift it up. float8 goes through torch only where it is used."""
    import numpy as np

    if dtype == "bfloat16" and array.dtype == np.int16:
        return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return array


def _real_array(tensor: Tensor) -> Any:
    """In the worker: a torch tensor or a numpy array with its own storage and the layout that was asked for."""
    import numpy as np

    array = _laid_out(tensor.array, tensor.layout)
    if tensor.kind == "numpy":
        return array
    import torch

    if tensor.layout == "strided":
        base = torch.from_numpy(np.repeat(tensor.array[..., None], 2, axis=-1))
        real = base[..., 0]
    else:
        real = torch.from_numpy(array)
    real = real if tensor.dtype == tensor.array.dtype.name else real.to(getattr(torch, tensor.dtype))
    return real.requires_grad_() if tensor.requires_grad else real


def _laid_out(array: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
    import numpy as np

    if layout == "strided":
        return np.repeat(array[..., None], 2, axis=-1)[..., 0]
    if layout == "permuted":
        return np.ascontiguousarray(array.T).copy().T
    return array.copy()
