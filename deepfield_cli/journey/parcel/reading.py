"""From a file of unknown origin to entries and blobs that hold together; nothing is written, and nothing is believed.

The names are those that we write and no others, so no path can lead anywhere. Sizes are those that come out, not those
that are declared. Every hash of the chain is computed again, and every blob is what its name says.
"""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from deepfield_cli.journey.parcel import format as parcel
from deepfield_cli.journey.parcel.format import ParcelError
from deepfield_cli.ledger import Entry
from deepfield_cli.ledger.entry import COLUMNS, GENESIS, chain_hash, entry_from_row
from deepfield_cli.ledger.manifest import decode_manifest

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    UnicodeDecodeError,
    ValueError,
    OverflowError,
    KeyError,
)
_KNOWN_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Contents:
    """What a parcel that holds together has in it.

    Attributes:
        path: the file.
        entries: how many entries.
        blobs: how many payloads and files.
        head: the hash of the last entry; compare it with what the owner told you.
        attempts: how many of the entries are attempts.
        solved: pairs of problem and rung that an attempt solved.
        first_at: when the first entry was made, UTC; None if there is none.
        last_at: when the last one was.
        program: the version of deepfield that wrote it.

    """

    path: Path
    entries: int
    blobs: int
    head: str
    attempts: int
    solved: tuple[tuple[str, str], ...]
    first_at: str | None
    last_at: str | None
    program: str


class Parcel:
    """An open parcel; ``check`` proves it, and only then are entries and contents worth reading."""

    def __init__(self, path: Path) -> None:
        """Raises ParcelError if it is no parcel, or one that is not to be unpacked."""
        self.path = path
        self._needed: dict[str, None] = {}
        self._lists: set[str] = set()
        self._payloads: set[str] = set()
        if not path.is_file():
            raise ParcelError("there is no such file", where=str(path), fix="deepfield export makes one")
        with self._honest():
            self._archive = zipfile.ZipFile(path)
        try:
            with self._honest():
                self._members = self._survey()
                self._manifest = self._read_manifest()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Parcel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._archive.close()

    def check(self, head: str | None = None) -> Contents:
        """Prove everything; ``head`` is the hash of the last entry as its owner told it, if they did.

        Raises:
            ParcelError: the first thing that does not hold, in words.

        """
        with self._honest():
            contents = self._check_chain()
            self._check_blobs()
        if head is not None and not (len(head) >= 8 and contents.head.startswith(head.lower())):
            raise self._fault(f"it ends with {contents.head[:16]}…, not with {head[:16]}…")
        return contents

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first."""
        with self._honest():
            for line in self._lines():
                document = json.loads(line, parse_constant=_no_constant)
                if not isinstance(document, dict) or set(document) != set(COLUMNS):
                    raise self._fault("an entry does not have the columns that it should")
                solved = document["solved"]
                if solved is not None and type(solved) is not bool:
                    raise self._fault("an entry holds a value that no entry can hold")
                row = {**document, "solved": None if solved is None else int(solved)}
                yield entry_from_row([row[name] for name in COLUMNS])

    def contents(self) -> Iterator[bytes]:
        """The content of every blob."""
        with self._honest():
            for name in self._blob_names():
                yield self._read(name, parcel.BLOB_BYTES)

    # What the file looks like from outside

    def _survey(self) -> dict[str, zipfile.ZipInfo]:
        members = self._archive.infolist()
        if len(members) > parcel.MEMBERS:
            raise self._fault(f"it has {len(members):,} parts; at most {parcel.MEMBERS:,} are taken in")
        for member in members:
            self._inspect(member)
        found = {member.filename: member for member in members}
        if len(found) < len(members):
            raise self._fault("it holds a part twice")
        if not {parcel.MANIFEST, parcel.ENTRIES} <= set(found):
            raise self._fault("it is no exported record")
        self._refuse_bombs(members)
        return found

    def _inspect(self, member: zipfile.ZipInfo) -> None:
        """No links, no folders, no encryption, no foreign names, however the member calls itself."""
        name, mode = member.filename, member.external_attr >> 16
        known = name in (parcel.MANIFEST, parcel.ENTRIES) or parcel.BLOB_NAME.fullmatch(name)
        if not known or member.orig_filename != name:
            raise self._fault(f"it holds {member.orig_filename[:60]!a}, which is no part of a record")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise self._fault(f"{name[:20]} is no plain file")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _KNOWN_COMPRESSIONS:
            raise self._fault(f"{name[:20]} is packed in a way that is not taken in")

    def _refuse_bombs(self, members: list[zipfile.ZipInfo]) -> None:
        size = self.path.stat().st_size
        unpacked = sum(member.file_size for member in members)
        if sum(member.compress_size for member in members) > size:
            raise self._fault("its parts overlap")
        if unpacked > parcel.TOTAL_BYTES:
            raise self._fault(f"it would unpack to {unpacked:,} bytes; at most {parcel.TOTAL_BYTES:,} are taken in")
        if unpacked > parcel.RATIO_FROM_BYTES and unpacked > parcel.RATIO * size:
            raise self._fault(f"it would unpack to {unpacked // max(size, 1)} times its size")

    def _read_manifest(self) -> dict[str, Any]:
        document = json.loads(self._read(parcel.MANIFEST, parcel.MANIFEST_BYTES))
        fault = parcel.manifest_fault(document)
        if fault is not None:
            fix = "upgrade deepfield" if "knows versions" in fault else None
            raise ParcelError(fault, where=str(self.path), fix=fix)
        found: dict[str, Any] = document
        return found

    # What is in it

    def _check_chain(self) -> Contents:
        head, count, attempts, first, last = GENESIS, 0, 0, None, None
        solved: dict[tuple[str, str], None] = {}
        for entry in self.entries():
            count += 1
            self._check_link(entry, count, head)
            head, last = entry.hash, entry.at
            first = first or entry.at
            attempts += entry.kind == "attempt"
            if entry.kind == "attempt" and entry.solved:
                solved[entry.problem or "", entry.rung or ""] = None
            self._payloads.add(entry.payload_digest)
            self._lists.update(filter(None, [entry.files_digest]))
        if (count, head) != (self._manifest["entries"], self._manifest["head"]):
            raise self._fault("its entries are not those that its manifest tells of")
        self._needed.update(dict.fromkeys((*self._payloads, *self._lists)))
        blobs, program = len(self._blob_names()), self._manifest["program"]
        return Contents(self.path, count, blobs, head, attempts, tuple(sorted(solved)), first, last, program)

    def _check_link(self, entry: Entry, number: int, head: str) -> None:
        columns = {name: getattr(entry, name) for name in COLUMNS if name != "hash"}
        if entry.solved is not None:
            columns["solved"] = int(entry.solved)
        if entry.id != number or entry.previous != head:
            raise self._fault(f"entry {number} does not follow the one before it")
        if chain_hash(columns) != entry.hash:
            raise self._fault(f"entry {number} was changed after it was written")

    def _check_blobs(self) -> None:
        names = self._blob_names()
        for name in names:
            content, digest = self._read(name, parcel.BLOB_BYTES), name.removeprefix(parcel.BLOBS)
            if hashlib.sha256(content).hexdigest() != digest:
                raise self._fault(f"blob {digest[:12]}… holds something else than its name says")
            if digest in self._payloads and not isinstance(json.loads(content), dict):
                raise self._fault(f"blob {digest[:12]}… is no payload")
            if digest in self._lists:
                self._needed.update(dict.fromkeys(decode_manifest(content).values()))
        held = {name.removeprefix(parcel.BLOBS) for name in names}
        for digest in self._needed:
            if digest not in held:
                raise self._fault(f"blob {digest[:12]}… is missing")
        if len(held) != len(self._needed) or len(held) != self._manifest["blobs"]:
            raise self._fault("it holds blobs that belong to no entry")

    def _blob_names(self) -> list[str]:
        return [name for name in self._members if name.startswith(parcel.BLOBS)]

    def _lines(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with self._archive.open(self._members[parcel.ENTRIES]) as stream:
            while line := stream.readline(parcel.LINE_BYTES + 1):
                if len(line) > parcel.LINE_BYTES:
                    raise self._fault("an entry is larger than any entry can be")
                digest.update(line)
                yield line
        if digest.hexdigest() != self._manifest["entries_digest"]:
            raise self._fault("its entries are not those that its manifest tells of")

    def _read(self, name: str, most: int) -> bytes:
        """Unpack one part, and stop where it grows too large, whatever it said of itself."""
        if name not in self._members:
            raise self._fault(f"{name[:20]} is missing")
        chunks, size = [], 0
        with self._archive.open(self._members[name]) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise self._fault(f"{name[:20]}… unpacks to more than {most:,} bytes")
                chunks.append(chunk)
        return b"".join(chunks)

    @contextmanager
    def _honest(self) -> Iterator[None]:
        """Whatever breaks inside the file ends in one line about the file."""
        try:
            yield
        except ParcelError:
            raise
        except OSError as error:
            raise ParcelError(f"cannot read: {error.strerror or error}", where=str(self.path)) from error
        except RecursionError as error:
            raise self._fault("it is nested too deeply") from error
        except _BROKEN as error:
            raise self._fault("it is damaged or is no exported record") from error

    def _fault(self, what: str) -> ParcelError:
        return ParcelError(f"this record cannot be trusted: {what}", where=str(self.path), fix="ask for it again")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no value of an entry")
