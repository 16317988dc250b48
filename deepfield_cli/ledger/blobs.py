"""The store of payloads and files: compressed, named by the SHA-256 of what they hold, each kept once."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_BLOB_BYTES = 64 * 1024 * 1024
"""Nothing larger is taken in, and a blob that would unpack to more is refused: a record may come from a stranger."""

COMPRESSION_LEVEL = 6


class BlobDamagedError(Exception):
    """The stored bytes are not what was put in; the message says in which way."""


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of one payload, manifest or file, and its name."""

    digest: str
    content: bytes


class PackedBlob(NamedTuple):
    """A row of the table."""

    digest: str
    data: bytes
    checksum: int


def digest_of(content: bytes) -> str:
    """Return the name under which this content is stored."""
    return hashlib.sha256(content).hexdigest()


def pack(connection: sqlite3.Connection, contents: Iterable[bytes]) -> list[PackedBlob]:
    """Compress what is not stored yet. Apart from `put`, so that no other process waits while we compress."""
    packed: dict[str, PackedBlob] = {}
    for content in contents:
        digest = digest_of(content)
        if digest not in packed and not is_stored(connection, digest):
            data = zlib.compress(content, COMPRESSION_LEVEL)
            packed[digest] = PackedBlob(digest, data, zlib.crc32(data))
    return list(packed.values())


def put(connection: sqlite3.Connection, packed: Iterable[PackedBlob]) -> None:
    """Store them in the transaction of the entry that refers to them; one that is there already is passed over."""
    connection.executemany("INSERT INTO blobs (digest, data, checksum) VALUES (?, ?, ?)", packed)


def is_stored(connection: sqlite3.Connection, digest: str) -> bool:
    """Whether a blob of this name exists; its content is not looked at."""
    return connection.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is not None


def get(connection: sqlite3.Connection, digest: str) -> bytes:
    """Return the content of this name. Raises BlobDamagedError if it is missing or is not what was stored."""
    row = connection.execute("SELECT digest, data, checksum FROM blobs WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise BlobDamagedError("is missing")
    return unpack(*row)


def walk(connection: sqlite3.Connection) -> Iterator[Blob]:
    """Every blob, one at a time. Raises BlobDamagedError at the first that is not what was stored."""
    for row in connection.execute("SELECT digest, data, checksum FROM blobs ORDER BY rowid"):
        yield Blob(row[0], unpack(*row))


def unpack(digest: object, packed: object, checksum: object) -> bytes:
    """Undo the compression of a stored row and prove it.

    The digest proves the content; the checksum proves the stored bytes as well, because a compressed stream can be
    altered without changing what it unpacks to.
    """
    if not isinstance(packed, bytes) or zlib.crc32(packed) != checksum:
        raise BlobDamagedError("has bytes that are not those that were stored")
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, MAX_BLOB_BYTES + 1)
    except zlib.error as error:
        raise BlobDamagedError(f"cannot be unpacked ({error})") from error
    if not unpacker.eof or unpacker.unused_data:
        raise BlobDamagedError("is cut short, too large, or has something behind its end")
    if digest_of(content) != digest:
        raise BlobDamagedError("holds something else than its name says")
    return content
