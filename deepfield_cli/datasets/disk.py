"""The disk as a cache of datasets uses it: what it refuses in one line, the room there is, sizes and digests."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path

from deepfield_cli import whole_files
from deepfield_cli.datasets.errors import DiskRefused, writing

BLOCK = 1 << 20


def make_folder(path: Path) -> None:
    """Make it with all its parents; raise DiskRefused in one line."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there with all its content or not at all, whatever happens."""
    with writing(path):
        whole_files.write_whole(path, content, lasting=True)


def write_all(file: RawIOBase, block: bytes) -> None:
    """Write to an unbuffered file: a disk that is nearly full takes a part of a block, and only then says so."""
    left = memoryview(block)
    while left:
        left = left[file.write(left) or 0 :]


def settle(path: Path) -> None:
    """Wait until a finished file, or every file of a finished folder, is on the disk."""
    with writing(path):
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                whole_files.settle(file)


def settle_folder(path: Path) -> None:
    """Make a rename in this folder last."""
    with writing(path):
        whole_files.settle(path)


def require_room(folder: Path, needed: int) -> None:
    """Raise DiskRefused if so many bytes do not fit, before anything is fetched."""
    with writing(folder):
        free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskRefused(
            f"{readable_bytes(needed)} are needed and {readable_bytes(free)} are free",
            where=str(folder),
            fix="free some space, or choose another folder with DEEPFIELD_DATA or --cache",
        )


def remove(path: Path) -> None:
    """Remove a file or a folder if it is there; a link is removed, never what it points at."""
    with writing(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def file_digest(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file; tells after each block how many bytes have been read."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            if on_bytes is not None:
                on_bytes(done)
    return digest.hexdigest()


def content_digest(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file, or of the lines that ``sha256sum`` prints for a folder's files, sorted by path.

    By hand: ``find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum``. What Python leaves behind when
    it imports a file is not counted.
    """
    if path.is_file():
        return file_digest(path, on_bytes)
    lines = [f"{file_digest(path / name)}  {name}\n" for name in _file_names(path)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def content_bytes(path: Path) -> int:
    """Size of a file, or of all files that count in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum((path / name).stat().st_size for name in _file_names(path))


def _file_names(folder: Path) -> list[str]:
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(name.as_posix() for name in found if "__pycache__" not in name.parts)


def readable_bytes(count: int) -> str:
    """A size as people say it, in powers of ten: 456 kB, 19.9 GB."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    if unit == "bytes":
        return f"{count:,} bytes"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
