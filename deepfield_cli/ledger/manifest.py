"""The list of files kept with an entry: path to digest, itself a blob, so equal folders are stored once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath

from deepfield_cli.ledger.blobs import digest_of


class UnsafePathError(ValueError):
    """A path that would leave the folder into which the files are written back."""


def encode_manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of these files as canonical JSON. Raises UnsafePathError."""
    digests = {check_path(path): digest_of(content) for path, content in files.items()}
    return json.dumps(digests, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def decode_manifest(content: bytes) -> dict[str, str]:
    """Path to digest. Raises ValueError if it is no manifest, UnsafePathError if a path leads outside."""
    digests = json.loads(content)
    if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("the list of files is not a mapping from path to digest")
    return {check_path(path): digest for path, digest in digests.items()}


def check_path(path: str) -> str:
    """Return the path if it stays inside a folder on every system, else raise UnsafePathError."""
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    outside = posix.is_absolute() or windows.anchor or ".." in (*posix.parts, *windows.parts)
    if not posix.parts or outside or "\0" in path or str(posix) != path:
        raise UnsafePathError(f"{path!r} is not a plain path inside the submission's folder")
    return path
