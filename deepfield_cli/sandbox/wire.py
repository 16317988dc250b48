"""Plain values on the wire: msgpack with a few extensions, the same on both sides, and never a pickle.

What crosses is None, bool, int, float, str, bytes, list, tuple, dict and arrays. On the way out of the worker every
subclass is reduced to its exact builtin by the builtin's own methods, so an overridden ``__iter__`` or ``__eq__`` of
the learner's is never asked. Anything else is kept in the worker and crosses as the number of a reference.

The learner's code can write to the socket itself, so a frame may hold anything: every limit below is there because some
frame of a few bytes or megabytes would otherwise take gigabytes, minutes or the grader's own stack to read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import msgpack

from deepfield_cli.sandbox.arrays import Tensor, WireError, array_bytes, array_of, decode_array, real_array

__all__ = ["MAXIMUM_FRAME_BYTES", "RemoteObject", "Stream", "Tensor", "WireError", "decode", "encode"]

# Frames above this are refused unread. The largest honest answer so far is a few MB of token ids; arrays of
# 32 M float32 still fit. A frame of short texts takes twenty times its size once it is read.
MAXIMUM_FRAME_BYTES = 128 * 1024 * 1024
# One container may hold this many items: 20 M ids are a 60 MB text, and cost the grader 160 MB at most.
MAXIMUM_ITEMS = 20_000_000
# All containers and extensions of a frame: an empty dict is one byte on the wire and 64 in memory.
MAXIMUM_CONTAINERS = 1_000_000
# Containers within containers: whoever compares or prints a value recurses into it.
MAXIMUM_DEPTH = 64
# Python itself refuses to print a longer integer (sys.set_int_max_str_digits), and so to say what is wrong with it.
MAXIMUM_DIGITS = 4300
_MAXIMUM_BITS = 14_284  # the largest power of two below 10**4300
# A frame may announce items that never come, and room is made for them; below this size that costs next to nothing.
_CHECKED_WHOLE_BYTES = 256 * 1024
# Integers and tuples can be chosen so that all of them have one hash; smaller dicts are quick to fill even so.
_CHECKED_KEYS = 1000

_ARRAY, _TUPLE, _REFERENCE, _BIG_INTEGER, _STREAM = 1, 2, 3, 4, 5
_TUPLE_MARK, _STREAM_MARK = msgpack.ExtType(_TUPLE, b""), msgpack.ExtType(_STREAM, b"")
_CONTAINERS = frozenset((list, tuple, dict))


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
        return _encode_other(item, keep)

    try:
        packed: bytes = msgpack.packb(
            value, default=other, strict_types=True, use_bin_type=True, unicode_errors="surrogatepass"
        )
    except WireError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireError(f"the value cannot be sent: {error}") from error
    return packed


def decode(data: bytes | bytearray, *, resolve: Callable[[int], Any] = RemoteObject, worker: bool = False) -> Any:
    """Return the value of some bytes; strict, size-capped; ``worker`` makes tensors and generators real."""
    try:
        value = _Decoder(resolve, worker=worker).decode(data)
        if not worker:  # what the grader sends is as deep as its author made it
            _refuse_depth(value)
    except WireError:
        raise
    except Exception as error:  # msgpack's own errors share no base class; any of them is a malformed frame
        raise WireError(f"malformed answer: {type(error).__name__}: {error}") from error
    return value


class _Decoder:
    """Reads one frame; counts what it makes."""

    def __init__(self, resolve: Callable[[int], Any], *, worker: bool) -> None:
        self._resolve = resolve
        self._worker = worker
        self._made = 0
        self._open_marks = 0

    def decode(self, data: bytes | bytearray) -> Any:
        if len(data) > _CHECKED_WHOLE_BYTES and not self._worker:
            _expect_whole(data)
        value = msgpack.unpackb(
            data,
            ext_hook=self._extension,
            list_hook=self._list,
            object_pairs_hook=self._dict,
            raw=False,
            strict_map_key=False,
            unicode_errors="surrogatepass",
            timestamp=1,  # msgpack has a type of its own for times: as a float it is a plain value
            max_array_len=min(MAXIMUM_ITEMS, len(data)),
            max_map_len=min(MAXIMUM_ITEMS, len(data)),
        )
        if self._open_marks:
            raise WireError("malformed answer: a mark where no tuple begins")
        return value

    def _list(self, items: list[Any]) -> Any:
        self._count()
        if not items or type(items[0]) is not _Mark:
            return items
        self._open_marks -= 1
        rest = items[1:]
        return tuple(rest) if items[0].code == _TUPLE else _one_by_one(rest)

    def _dict(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._count()
        if len(pairs) > _CHECKED_KEYS and 2 * len({hash(key) for key, _ in pairs}) < len(pairs):
            raise WireError("malformed answer: the keys of a dict have the same hash")
        return dict(pairs)

    def _extension(self, code: int, body: bytes) -> Any:
        self._count()
        if code == _ARRAY:
            tensor = decode_array(body, from_worker=not self._worker)
            return real_array(tensor) if self._worker else tensor
        if code == _TUPLE or (code == _STREAM and self._worker):
            self._open_marks += 1
            return _Mark(code)
        if code == _REFERENCE and len(body) <= 8:
            return self._resolve(int.from_bytes(body, "little"))
        if code == _BIG_INTEGER and len(body) <= MAXIMUM_DIGITS:
            return _bounded(int(body, 16))
        raise WireError(f"malformed answer: unknown extension {code}")

    def _count(self) -> None:
        self._made += 1
        if self._made > MAXIMUM_CONTAINERS and not self._worker:
            raise WireError(f"more than {MAXIMUM_CONTAINERS:,} lists, tuples, dicts and arrays in one answer")


class _Mark:
    """Stands first in a list that is a tuple or a stream; hashable, since dict keys may be tuples."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


def _one_by_one(items: list[Any]) -> Iterator[Any]:
    yield from items


def _expect_whole(data: bytes | bytearray) -> None:
    """Walk over the frame once without making anything, so that no room is made for items that never come."""
    walker = msgpack.Unpacker(
        max_buffer_size=len(data), max_array_len=MAXIMUM_ITEMS, max_map_len=MAXIMUM_ITEMS, strict_map_key=False
    )
    walker.feed(data)
    walker.skip()


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        level = [inner for item in level if type(item) in _CONTAINERS for inner in _containers_in(item)]
        if not level:
            return
    raise WireError(f"more than {MAXIMUM_DEPTH} containers within each other")


def _containers_in(item: Any) -> list[Any]:
    """The containers that a container holds, keys included; quick for a list of a million numbers."""
    members = list(chain(item, item.values())) if type(item) is dict else item
    if _CONTAINERS.isdisjoint(map(type, members)):
        return []
    return [member for member in members if type(member) in _CONTAINERS]


def _bounded(number: int) -> int:
    if number.bit_length() > _MAXIMUM_BITS:
        raise WireError(f"an integer of more than {MAXIMUM_DIGITS:,} digits cannot be sent")
    return number


def _encode_other(item: Any, keep: Callable[[Any], int] | None) -> Any:
    kind = type(item)
    if kind is int:
        return msgpack.ExtType(_BIG_INTEGER, hex(_bounded(item)).encode())
    if kind is Tensor:
        return msgpack.ExtType(_ARRAY, array_bytes(item.array, item.kind, item.dtype, item.layout, item.requires_grad))
    if kind is Stream:
        return [_STREAM_MARK, *item.items]
    if kind is RemoteObject:
        return _reference(item.number)
    if issubclass(kind, tuple):
        return [_TUPLE_MARK, *tuple.__iter__(item)]
    plain = _exact_builtin(item, kind)
    if plain is not None:
        return plain
    array = array_of(item, kind)
    if array is not None:
        return msgpack.ExtType(_ARRAY, array)
    if keep is None:
        raise WireError(f"a value of type {kind.__name__} cannot be sent")
    return _reference(keep(item))


def _reference(number: int) -> Any:
    return msgpack.ExtType(_REFERENCE, number.to_bytes(8, "little"))


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
