"""What ``torch.save`` writes: a zip file with a pickle and one file of raw bytes for each storage.

The pickle is only looked at for the types of the storages: every class and function that it names is a stand-in that
does nothing, so that nothing of it runs.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deepfield_cli.summit.elements import Array, Change

_TYPES = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}
_OTHER = ("other", 1)
# Storages begin at multiples of this, so that they can be mapped into memory; torch fills up with this extra field.
_ALIGNMENT, _EXTRA_FIELD, _LOCAL_HEADER = 64, 0x4246, 30
_SOME_DAY = (2001, 1, 1, 0, 0, 0)


class Checkpoint:
    """A copy has members of another date."""

    def read(self, source: Path) -> Iterator[Array]:
        with _opened(source) as archive:
            for name, key, type_name, width in _members(archive):
                if key is not None:
                    yield Array(key, archive.read(name), width, type_name)

    def write(self, source: Path, target: Path, change: Change) -> None:
        with _opened(source) as archive, target.open("wb") as file, zipfile.ZipFile(file, "w") as output:
            for name, key, type_name, width in _members(archive):
                content = archive.read(name)
                if key is not None:
                    content = change(Array(key, content, width, type_name))
                output.writestr(_member(name, file.tell()), content)


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise ValueError("it is nothing that torch.save writes today") from error


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, str | None, str, int]]:
    """Every member: its name, and for a storage its key, type and width."""
    listings = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(listings) != 1:
        raise ValueError("it has no data.pkl")
    folder = f"{listings[0].removesuffix('data.pkl')}data/"
    types = _storage_types(archive.read(listings[0]))
    for name in archive.namelist():
        key = name.removeprefix(folder)
        yield (name, key, *types[key]) if name.startswith(folder) and key in types else (name, None, "", 1)


def _member(name: str, offset: int) -> zipfile.ZipInfo:
    """A member whose content begins where torch would have it begin."""
    info = zipfile.ZipInfo(name, _SOME_DAY)
    begins = offset + _LOCAL_HEADER + len(name.encode()) + 4
    padding = -begins % _ALIGNMENT
    info.extra = struct.pack("<HH", _EXTRA_FIELD, padding) + b"Z" * padding
    return info


def _storage_types(content: bytes) -> Mapping[str, tuple[str, int]]:
    reader = _Reader(io.BytesIO(content))
    try:
        reader.load()
    except Exception as error:  # a pickle can make its reader raise whatever it likes
        raise ValueError("its data.pkl cannot be read") from error
    return reader.storages


class _StandIn:
    """Takes the place of everything that a pickle names: it can be called, filled and restored, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _StandIn:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take anything."""

    def __call__(self, *_: Any, **__: Any) -> _StandIn:
        return self

    def __setstate__(self, state: Any) -> None:
        """Keep nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Keep nothing."""

    def append(self, value: Any) -> None:
        """Keep nothing."""

    def extend(self, values: Any) -> None:
        """Keep nothing."""

    def add(self, value: Any) -> None:
        """Keep nothing."""


class _Reader(pickle.Unpickler):
    """Reads a pickle for the storages that it refers to."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[str, int]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in that remembers the name it stands for."""
        return type(name, (_StandIn,), {})

    def persistent_load(self, identity: Any) -> Any:
        """Note a storage: ("storage", its class, its key, where it lived, how many elements)."""
        _, kind, key, *_ = identity
        self.storages[str(key)] = _TYPES.get(kind.__name__, _OTHER)
        return _StandIn()
