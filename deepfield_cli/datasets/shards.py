"""Token shards: files of token ids, two bytes each, as llm.c's .bin or numpy's .npy.

A .bin has a header of 256 little-endian int32 (20240520, 1, number of tokens, zeros), then the ids as little-endian
uint16. A .npy is an array of uint16 of one dimension, as build-nanogpt writes it.
"""

from __future__ import annotations

import ast
import os
import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.datasets.disk import settle_folder
from deepfield_cli.datasets.errors import DatasetError, writing

VALIDATION_MARK = "_val_"
_MAGIC, _VERSION = 20240520, 1
_HEADER_NUMBERS = 256
_NPY_MAGIC = b"\x93NUMPY"
# Ids looked at in each shard, at its beginning and at its end: enough to see four-byte ids or another vocabulary.
_LOOKED_AT = 1 << 16


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of tokens; ``offset`` is where the ids begin, ``count`` how many there are."""

    path: Path
    offset: int
    count: int

    def tokens(self, start: int, stop: int) -> array[int]:
        """The ids from ``start`` up to ``stop``."""
        ids = array("H")
        with self.path.open("rb") as file:
            file.seek(self.offset + 2 * start)
            ids.frombytes(file.read(2 * (min(stop, self.count) - start)))
        return _little(ids)

    def require_below(self, vocabulary: int) -> None:
        """Raise DatasetError if an id at the beginning or the end is too large."""
        for start in (0, max(self.count - _LOOKED_AT, 0)):
            largest = max(self.tokens(start, start + _LOOKED_AT), default=0)
            if largest >= vocabulary:
                raise DatasetError(f"it has the id {largest:,}; there are {vocabulary:,}", where=str(self.path))


def shard_paths(path: Path) -> list[Path]:
    """The shards of a folder, sorted by name, or the one file."""
    if path.is_file():
        return [path]
    found = [file for file in path.iterdir() if file.suffix in (".bin", ".npy") and not file.name.startswith(".")]
    if not found:
        raise DatasetError("there are no shards here (.bin or .npy)", where=str(path))
    return sorted(found, key=lambda file: file.name)


def read_shard(path: Path) -> Shard:
    """The shard of this file; raise DatasetError if it is none, or not a whole one."""
    with path.open("rb") as file:
        start = file.read(4 * _HEADER_NUMBERS)
    shard = _numpy_shard(path, start) if start.startswith(_NPY_MAGIC) else _bin_shard(path, start)
    size = path.stat().st_size
    if size != shard.offset + 2 * shard.count:
        raise DatasetError(f"it is {size:,} bytes long, and {shard.count:,} tokens are not", where=str(path))
    return shard


def write_shard(path: Path, pieces: Iterable[array[int]]) -> Shard:
    """Write a .bin whole or not at all, from arrays of uint16 as they come.

    The unfinished one always has the same name: a process that is killed leaves gigabytes, and the next one writes over
    them.
    """
    part, count = path.with_name(f".{path.name}.part"), 0
    with writing(part):
        with part.open("wb") as file:
            file.write(_header(0))
            for piece in pieces:
                file.write(_little(piece).tobytes())
                count += len(piece)
            file.seek(0)
            file.write(_header(count))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    settle_folder(path.parent)
    return Shard(path, 4 * _HEADER_NUMBERS, count)


def _header(count: int) -> bytes:
    return struct.pack(f"<{_HEADER_NUMBERS}i", _MAGIC, _VERSION, count, *[0] * (_HEADER_NUMBERS - 3))


def _bin_shard(path: Path, start: bytes) -> Shard:
    if len(start) == 4 * _HEADER_NUMBERS:
        magic, version, count = struct.unpack("<3i", start[:12])
        if (magic, version) == (_MAGIC, _VERSION) and count >= 0:
            return Shard(path, 4 * _HEADER_NUMBERS, count)
    raise DatasetError("this is no shard of tokens: neither llm.c's header nor numpy's", where=str(path))


def _numpy_shard(path: Path, start: bytes) -> Shard:
    """Format: magic, two bytes of version, length of a header that is a Python literal, the header, the array."""
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    try:
        header = ast.literal_eval(start[8 + width : 8 + width + length].decode("latin-1").strip())
        dtype, shape = header["descr"], header["shape"]
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise DatasetError("its numpy header cannot be read", where=str(path)) from error
    if dtype != "<u2" or len(shape) != 1:
        raise DatasetError(
            f"an array of {dtype} with {len(shape)} dimensions; uint16 with one is wanted", where=str(path)
        )
    return Shard(path, 8 + width + length, shape[0])


def _little(ids: array[int]) -> array[int]:
    """Swap the bytes where this machine writes numbers the other way round."""
    if sys.byteorder == "big":
        ids = ids[:]
        ids.byteswap()
    return ids
