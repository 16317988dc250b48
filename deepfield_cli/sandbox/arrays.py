"""Arrays and tensors on the wire: dtype, shape and raw bytes, nothing else of what they were."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    import numpy as np

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


_LAYOUTS = ("contiguous", "strided", "permuted")
# kind, dtypes, 64 axes at most: an honest header is far shorter
_MAXIMUM_HEADER_BYTES = 1024


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


def array_of(item: Any, kind: type) -> bytes | None:
    """The bytes of a tensor, an array or an array scalar, subclasses included; None for anything else."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        return _torch_bytes(torch, item)
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ndarray"):
        return None
    if issubclass(kind, numpy.generic):
        return array_bytes(numpy.asarray(item), "numpy", None, "contiguous", False)
    if issubclass(kind, numpy.ndarray):
        return array_bytes(numpy.ndarray.view(item, numpy.ndarray), "numpy", None, "contiguous", False)
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
        return array_bytes(tensor.numpy(), "torch", name, "contiguous", bool(item.requires_grad))


def array_bytes(array: Any, kind: str, dtype: str | None, layout: str, requires_grad: bool) -> bytes:
    """A short header, then the values as they lie in memory."""
    stored = array.dtype.name
    if stored not in _NUMPY_DTYPES:
        raise WireError(f"an array of dtype {stored} cannot be sent")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    header = msgpack.packb([kind, dtype or stored, stored, list(array.shape), layout, requires_grad])
    body: bytes = array.tobytes()
    return len(header).to_bytes(4, "little") + bytes(header) + body


def decode_array(body: bytes, *, from_worker: bool) -> Tensor:
    """The array of some bytes; what a worker says about itself has to fit what it sent."""
    import numpy as np

    split = 4 + int.from_bytes(body[:4], "little")
    if split > _MAXIMUM_HEADER_BYTES:  # else a header of a million empty lists would cost a hundred times its size
        raise WireError("malformed answer: the header of an array is too long")
    kind, dtype, stored, shape, layout, requires_grad = msgpack.unpackb(body[4:split])
    if kind not in ("torch", "numpy") or stored not in _NUMPY_DTYPES or not isinstance(dtype, str):
        raise WireError("malformed answer: unknown array type")
    if from_worker and dtype != stored and _TORCH_ONLY.get(dtype) != stored:
        raise WireError("malformed answer: an array is not of the dtype that it claims")
    array = np.frombuffer(body, dtype=stored, offset=split).reshape(shape)
    layout = layout if layout in _LAYOUTS else "contiguous"
    return Tensor(_widen(array, dtype), kind=kind, layout=layout, dtype=dtype, requires_grad=bool(requires_grad))


def _widen(array: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """bfloat16 is the upper half of a float32: shift it up. float8 goes through torch only where it is used."""
    import numpy as np

    if dtype == "bfloat16" and array.dtype == np.int16:
        return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return array


def real_array(tensor: Tensor) -> Any:
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
