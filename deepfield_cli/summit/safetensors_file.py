"""``.safetensors``: a length, a JSON header and raw bytes; see https://github.com/huggingface/safetensors."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from deepfield_cli.summit.elements import Array, Change

_TYPES = {
    "F64": ("float64", 8),
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8", 1),
    "F8_E5M2": ("float8", 1),
    "I64": ("int64", 8),
    "I32": ("int32", 4),
    "I16": ("int16", 2),
    "I8": ("int8", 1),
    "U64": ("uint64", 8),
    "U32": ("uint32", 4),
    "U16": ("uint16", 2),
    "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}
_ABOUT = "__metadata__"
# The limit that its own library sets.
_MOST_HEADER_BYTES = 100_000_000
_ALIGNMENT = 8


class Tensors:
    """A copy holds its tensors in the opposite order."""

    def read(self, source: Path) -> Iterator[Array]:
        with source.open("rb") as file:
            header, start = _read_header(file)
            for name in _names(header):
                yield _array(file, start, name, header[name])

    def write(self, source: Path, target: Path, change: Change) -> None:
        with source.open("rb") as file, target.open("wb") as output:
            header, start = _read_header(file)
            names = _names(header)[::-1]
            again: dict[str, Any] = {_ABOUT: header[_ABOUT]} if _ABOUT in header else {}
            offset = 0
            for name in names:
                first, last = header[name]["data_offsets"]
                again[name] = {**header[name], "data_offsets": [offset, offset + last - first]}
                offset += last - first
            _write_header(output, again)
            for name in names:
                output.write(change(_array(file, start, name, header[name])))


def _names(header: Mapping[str, Any]) -> list[str]:
    return [name for name in header if name != _ABOUT]


def _read_header(file: IO[bytes]) -> tuple[Mapping[str, Any], int]:
    head = file.read(8)
    if len(head) < 8:
        raise ValueError("it has no header")
    (length,) = struct.unpack("<Q", head)
    if length > _MOST_HEADER_BYTES:
        raise ValueError("its header is longer than any")
    header = json.loads(file.read(length))
    if not isinstance(header, dict) or not all(_is_entry(name, entry) for name, entry in header.items()):
        raise ValueError("its header does not describe tensors")
    return header, 8 + length


def _is_entry(name: str, entry: Any) -> bool:
    if name == _ABOUT:
        return True
    try:
        first, last = entry["data_offsets"]
        return entry["dtype"] in _TYPES and 0 <= first <= last
    except (KeyError, TypeError, ValueError):
        return False


def _write_header(output: IO[bytes], header: Mapping[str, Any]) -> None:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT + _ALIGNMENT)
    output.write(struct.pack("<Q", len(text)) + text)


def _array(file: IO[bytes], start: int, name: str, entry: Mapping[str, Any]) -> Array:
    type_name, width = _TYPES[entry["dtype"]]
    first, last = entry["data_offsets"]
    file.seek(start + first)
    raw = file.read(last - first)
    if len(raw) != last - first or len(raw) % width:
        raise ValueError("it is cut short")
    return Array(name, raw, width, type_name)
