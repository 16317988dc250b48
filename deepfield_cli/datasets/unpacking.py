"""Taking one file or folder out of an archive: plain files only, where they belong, as much as stated."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from deepfield_cli.datasets.dataset import Archive
from deepfield_cli.datasets.disk import BLOCK, write_all
from deepfield_cli.datasets.errors import NotOffered, writing

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def unpack(packed: Path, archive: Archive, target: Path, *, limit: int) -> None:
    """Write what is ``inside`` to ``target``; raise NotOffered if it is not there, broken, or larger than ``limit``."""
    found = 0
    try:
        for name, stream in _members(packed, archive.kind):
            below = _below(name, archive.inside)
            if below is not None:
                found += 1
                limit -= _copy(stream, target / below if below.parts else target, limit)
    except _BROKEN as error:
        raise NotOffered(f"the archive is broken ({error})") from error
    if not found:
        raise NotOffered(f'there is no "{archive.inside}" in the archive')


def _members(packed: Path, kind: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Plain files with their names; links and devices are passed over."""
    if kind == "zip":
        with zipfile.ZipFile(packed) as zipped:
            for entry in zipped.infolist():
                if not entry.is_dir():
                    with zipped.open(entry) as stream:
                        yield entry.filename, stream
    else:
        with tarfile.open(packed, "r:gz") as tarred:
            for member in tarred:
                stream_of = tarred.extractfile(member) if member.isreg() else None
                if stream_of is not None:
                    yield member.name, stream_of


def _below(name: str, inside: str) -> PurePosixPath | None:
    """The path of a member below what is wanted; None if it is not part of it, or tries to leave."""
    path, wanted = PurePosixPath(name), PurePosixPath(inside)
    if ".." in path.parts or not path.is_relative_to(wanted):
        return None
    return path.relative_to(wanted)


def _copy(stream: IO[bytes], target: Path, limit: int) -> int:
    size = 0
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb", buffering=0)
    with file:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > limit:
                raise NotOffered("the archive holds more than it should")
            with writing(target):
                write_all(file, block)
    return size
