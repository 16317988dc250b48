"""Plain values cross unchanged; everything else is reduced, kept or refused, at a cost that fits its size."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.sandbox import wire
from deepfield_cli.sandbox.wire import RemoteObject, Stream, Tensor, WireError, decode, encode

TUPLE, REFERENCE, BIG_INTEGER, STREAM = 2, 3, 4, 5
texts = st.text(st.characters(codec=None, categories=None))  # lone surrogates among them
keys = st.none() | st.booleans() | st.integers() | texts | st.binary() | st.tuples(st.integers(), texts)
plain = st.recursive(
    keys | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=30,
)


@given(plain)
def test_plain_values_cross_unchanged(value: Any) -> None:
    crossed = decode(encode(value))
    assert crossed == value
    assert types(crossed) == types(value)


def types(value: Any) -> Any:
    """The exact types, all the way down: True == 1 and (1,) is no [1]."""
    if isinstance(value, list | tuple):
        return type(value), [types(item) for item in value]
    if isinstance(value, dict):
        return dict, sorted((repr(types(key)), repr(types(item))) for key, item in value.items())
    return type(value)


_KEPT = {"__class__", "__new__", "__init__", "__init_subclass__", "__subclasshook__", "__getattribute__", "__dict__"}
_KEPT |= {"__hash__", "__del__", "__reduce__", "__reduce_ex__", "__getstate__", "__doc__", "__class_getitem__"}


def lying(base: type) -> Any:
    """A subclass whose every method, special ones included, fails the test when it is called."""

    def asked(self: object, *arguments: object, **options: object) -> None:
        raise AssertionError("the learner's method was asked")

    names = [name for name in dir(base) if name not in _KEPT and callable(getattr(base, name))]
    return type(f"Lying_{base.__name__}", (base,), dict.fromkeys(names, asked))


class Colour(IntEnum):
    """What learners return where they mean a number."""

    RED = 1


Point = namedtuple("Point", ["x", "y"])
Integer, Float, Text, Bytes = map(lying, (int, float, str, bytes))
List, Tuple, Dict = map(lying, (list, tuple, dict))
# value and what crosses; functions, since nothing may print such a value
SUBCLASSES: dict[str, tuple[Callable[[], Any], Any]] = {
    "int": (lambda: Integer(7), 7),
    "float": (lambda: Float(0.5), 0.5),
    "str": (lambda: Text("text"), "text"),
    "bytes": (lambda: Bytes(b"bytes"), b"bytes"),
    "list": (lambda: List([1, Integer(2)]), [1, 2]),
    "tuple": (lambda: Tuple((1, Text("x"))), (1, "x")),
    "dict": (lambda: Dict({"key": List([3])}), {"key": [3]}),
    "OrderedDict": (lambda: OrderedDict(a=1), {"a": 1}),
    "IntEnum": (lambda: Colour.RED, 1),
    "namedtuple": (lambda: Point(1, 2), (1, 2)),
    "bytearray": (lambda: bytearray(b"x"), b"x"),
}


@pytest.mark.parametrize("name", SUBCLASSES)
def test_subclasses_are_reduced_without_being_asked(name: str) -> None:
    make, expected = SUBCLASSES[name]
    crossed = decode(encode(make()))
    assert types(crossed) == types(expected)
    assert crossed == expected


def test_what_is_not_plain_stays_and_crosses_as_a_number() -> None:
    kept: list[Any] = []

    def keep(value: Any) -> int:
        kept.append(value)
        return len(kept)

    marker = object()
    crossed = decode(encode([marker, {1, 2}, len], keep=keep))
    assert [type(item) for item in crossed] == [RemoteObject] * 3
    assert kept == [marker, {1, 2}, len]
    with pytest.raises(WireError, match="a value of type object cannot be sent"):
        encode([marker])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_cross_with_their_dtype_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    crossed = decode(encode({"a": array, "b": (array.T,)}))
    assert isinstance(crossed["a"], Tensor) and crossed["a"].kind == "numpy"
    for found, sent in ((crossed["a"], array), (crossed["b"][0], array.T)):
        assert (found.dtype, found.shape) == (dtype, sent.shape)
        assert np.array_equal(found.array, sent)


@pytest.mark.parametrize("layout", ["contiguous", "strided", "permuted"])
def test_a_worker_receives_the_layout_that_was_asked_for(layout: str) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    real = decode(encode(Tensor(array, kind="numpy", layout=layout)), worker=True)
    assert type(real) is np.ndarray and np.array_equal(real, array)
    assert real.flags.c_contiguous is (layout == "contiguous")
    assert real.flags.writeable


def test_streams_and_references_reach_the_worker() -> None:
    values = {4: "four"}
    stream, kept = decode(
        encode([Stream([1, (2,)]), RemoteObject(4)]), resolve=lambda number: values[number], worker=True
    )
    assert not isinstance(stream, list)
    assert list(stream) == [1, (2,)]
    assert kept == "four"


def packed(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


def framed_array(header: list[Any], body: bytes) -> bytes:
    text = packed(header)
    return packed(msgpack.ExtType(1, len(text).to_bytes(4, "little") + text + body))


MARK = packed(msgpack.ExtType(TUPLE, b""))
MANY = 20_000_000
FRAMES = {
    "nothing": b"",
    "no msgpack": b"\xc1",
    "two values": b"\x01\x02",
    "a list within a list, 900 times": b"\x91" * 900 + b"\x90",
    "a list within a list, 70 times": b"\x91" * 70 + b"\x90",
    "keys within keys": b"\x81" + (b"\x92" + MARK) * 70 + b"\x01" * 71,
    "tuples within tuples": (b"\x92" + MARK) * 400 + b"\x90",
    "twenty thousand empty dicts": b"\xdd" + (20_000).to_bytes(4, "big") + b"\x80" * 20_000,
    "twenty thousand empty lists": b"\xdd" + (20_000).to_bytes(4, "big") + b"\x90" * 20_000,
    "twenty thousand references": b"\xdd" + (20_000).to_bytes(4, "big") + b"\xd4\x03\x01" * 20_000,
    "announced items that never come": (b"\xdd" + MANY.to_bytes(4, "big")) * 1000 + bytes(MANY),
    "announced pairs that never come": (b"\xdf" + MANY.to_bytes(4, "big")) * 5 + bytes(MANY),
    "more items than are ever read": b"\xdd" + (MANY + 1).to_bytes(4, "big") + bytes(MANY + 1),
    "a mark alone": MARK,
    "a mark as a key": b"\x81" + MARK + b"\x01",
    "a mark in the middle": b"\x92\x01" + MARK,
    "two marks": b"\x92" + MARK * 2,
    "a list as a key": b"\x81\x90\x01",
    "a stream from a worker": b"\x91" + packed(msgpack.ExtType(STREAM, b"")),
    "an unknown extension": packed(msgpack.ExtType(99, b"")),
    "an integer without end": packed(msgpack.ExtType(BIG_INTEGER, b"f" * 1_000_000)),
    "an integer that is none": packed(msgpack.ExtType(BIG_INTEGER, b"__import__")),
    "an integer that cannot be printed": packed(msgpack.ExtType(BIG_INTEGER, hex(10**4300).encode())),
    "a reference that is too long": packed(msgpack.ExtType(REFERENCE, b"123456789")),
    "text that is none": b"\xa2\xff\xfe",
    "an array with a header of lists": packed(msgpack.ExtType(1, (9999).to_bytes(4, "little") + b"\x80" * 9999)),
    "an array of too few bytes": framed_array(["torch", "float32", "float32", [4], "contiguous", False], b"1234"),
    "an array of another dtype": framed_array(["torch", "float32", "float64", [1], "contiguous", False], bytes(8)),
    "an array of objects": framed_array(["numpy", "object", "object", [1], "contiguous", False], bytes(8)),
    "an array of a strange kind": framed_array(["jax", "float32", "float32", [1], "contiguous", False], bytes(4)),
    "an array of a strange shape": framed_array(["torch", "float32", "float32", ["x"], "contiguous", False], bytes(4)),
    "an array of many axes": framed_array(["torch", "float32", "float32", [1] * 99, "contiguous", False], bytes(4)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_hostile_frames_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAXIMUM_CONTAINERS", 10_000)
    with pytest.raises(WireError):
        decode(FRAMES[name])


def test_a_time_stamp_is_a_number() -> None:
    """msgpack has a type of its own for it, which is no value that a suite knows."""
    assert types(decode(b"\xd6\xff\x00\x00\x00\x07")) is float


def test_keys_that_share_one_hash_are_refused_before_they_are_compared() -> None:
    """A hundred thousand of them would take five thousand million comparisons."""
    modulus = 2**61 - 1
    count = 20_000
    numbers = (packed(msgpack.ExtType(BIG_INTEGER, hex(index * modulus).encode())) for index in range(1, count + 1))
    with pytest.raises(WireError, match="the same hash"):
        decode(b"\xdf" + count.to_bytes(4, "big") + b"".join(number + b"\x00" for number in numbers))


def test_large_honest_answers_are_read() -> None:
    ids = list(range(300_000))
    merges = {(index, index + 1): f"token {index}" for index in range(20_000)}
    assert decode(encode({"ids": ids, "merges": merges})) == {"ids": ids, "merges": merges}


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**4299, -(10**4000)])
def test_integers_cross_as_long_as_python_prints_them(number: int) -> None:
    assert decode(encode(number)) == number


def test_values_that_cannot_cross_say_why() -> None:
    inner: list[Any] = []
    inner.append(inner)
    for value in (inner, 10**5000, np.array([object()]), np.zeros(1, dtype="datetime64[s]")):
        with pytest.raises(WireError):
            encode(value)


def test_limits_are_what_they_say() -> None:
    assert 10 ** (wire.MAXIMUM_DIGITS - 1) < 2**wire._MAXIMUM_BITS < 10**wire.MAXIMUM_DIGITS
