"""``.npy`` and ``.npz``: read and written with numpy's own functions, and never unpickled."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deepfield_cli.summit.elements import Array, Change

if TYPE_CHECKING:
    import numpy as np

_ENDING = ".npy"


class OneArray:
    """``.npy``: one array. A copy has a header of another version."""

    def read(self, source: Path) -> Iterator[Array]:
        with source.open("rb") as file:
            yield _as_array(_load(file), source.stem)

    def write(self, source: Path, target: Path, change: Change) -> None:
        with source.open("rb") as file:
            target.write_bytes(_changed(file, source.stem, change))


class ManyArrays:
    """``.npz``: a zip file of them. A copy is packed where the source is not, and unpacked where it is."""

    def read(self, source: Path) -> Iterator[Array]:
        with _opened(source) as archive:
            for name in archive.namelist():
                values = _loaded_member(archive.read(name), name)
                if values is not None:
                    yield _as_array(values, name.removesuffix(_ENDING))

    def write(self, source: Path, target: Path, change: Change) -> None:
        with _opened(source) as archive, zipfile.ZipFile(target, "w") as output:
            for member in archive.infolist():
                name, content = member.filename, archive.read(member)
                if _loaded_member(content, name) is not None:
                    content = _changed(io.BytesIO(content), name.removesuffix(_ENDING), change)
                other = zipfile.ZIP_DEFLATED if member.compress_type == zipfile.ZIP_STORED else zipfile.ZIP_STORED
                output.writestr(zipfile.ZipInfo(name), content, compress_type=other, compresslevel=1)


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise ValueError("it is no zip file") from error


def _loaded_member(content: bytes, name: str) -> np.ndarray[Any, Any] | None:
    """The array of a member; None for an array of objects, which only pickle could read, and for anything else."""
    if not name.endswith(_ENDING):
        return None
    try:
        return _load(io.BytesIO(content))
    except ValueError:
        return None


def _load(file: IO[bytes]) -> np.ndarray[Any, Any]:
    import numpy as np

    found: np.ndarray[Any, Any] = np.lib.format.read_array(file, allow_pickle=False)
    return found


def _as_array(values: np.ndarray[Any, Any], name: str) -> Array:
    little = values.dtype.newbyteorder("<") if sys.byteorder == "big" or values.dtype.byteorder == ">" else values.dtype
    return Array(name, values.astype(little).tobytes(), max(values.itemsize, 1), values.dtype.newbyteorder("=").name)


def _changed(file: IO[bytes], name: str, change: Change) -> bytes:
    import numpy as np

    version = np.lib.format.read_magic(file)
    file.seek(0)
    values = _load(file)
    array = _as_array(values, name)
    again = np.frombuffer(change(array), values.dtype.newbyteorder("<")).reshape(list(values.shape))
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        again = np.asfortranarray(again)
    output = io.BytesIO()
    other = (2, 0) if version == (1, 0) else (1, 0)
    np.lib.format.write_array(output, again, version=other, allow_pickle=False)
    return output.getvalue()
