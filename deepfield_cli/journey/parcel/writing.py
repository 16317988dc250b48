"""From a ledger to a parcel: proved before it is written, and written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from deepfield_cli import __version__
from deepfield_cli.errors import DeepfieldError, LedgerError
from deepfield_cli.journey.parcel.format import BLOBS, ENTRIES, FORMAT, MANIFEST, VERSION
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger
from deepfield_cli.ledger.entry import GENESIS
from deepfield_cli.ledger.manifest import decode_manifest
from deepfield_cli.whole_files import whole_file

# The same record gives the same bytes, whenever it is exported.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16
# The whole of it is the learner's own code and notes.
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: the file.
        entries: how many entries it holds.
        blobs: how many payloads and files.
        head: the hash of the last entry: whoever knows it can tell whether the parcel is whole.
        size_bytes: size of the file.

    """

    path: Path
    entries: int
    blobs: int
    head: str
    size_bytes: int


def export_record(workspace: Workspace, path: Path) -> Exported:
    """Write the whole record of a workspace, code and notes included, into one new file.

    Raises:
        LedgerError: the record is not as it was written.
        DeepfieldError: the file exists, or cannot be written.

    """
    if path.exists():
        raise DeepfieldError("there is such a file already", where=str(path), fix="name another one")
    with workspace.record() as ledger:
        if not ledger.verify().ok:
            raise LedgerError("the record is not as it was written", fix="deepfield verify says where")
        try:
            return _write(ledger, path)
        except OSError as error:
            fix = "check the folder, its permissions and the space left"
            raise DeepfieldError(f"cannot write: {error.strerror}", where=str(path), fix=fix) from error


def _write(ledger: Ledger, path: Path) -> Exported:
    with whole_file(path, lasting=True, mode=_PRIVATE) as fresh, fresh.open("wb") as file:
        entries, blobs, head = _fill(file, ledger)
    return Exported(path, entries, blobs, head, path.stat().st_size)


def _fill(file: IO[bytes], ledger: Ledger) -> tuple[int, int, str]:
    digest, head, count = hashlib.sha256(), GENESIS, 0
    needed: dict[str, None] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        with archive.open(_member(ENTRIES), "w") as lines:
            for entry in ledger.walk_entries():
                line = _line(entry)
                lines.write(line)
                digest.update(line)
                head, count = entry.hash, count + 1
                needed.update(dict.fromkeys(_digests(ledger, entry)))
        # not walk_blobs: another process may have appended meanwhile, and its blobs belong to no entry of these
        for name in needed:
            archive.writestr(_member(f"{BLOBS}{name}"), ledger.blob(name))
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "program": __version__,
            "entries": count,
            "blobs": len(needed),
            "head": head,
            "entries_digest": digest.hexdigest(),
        }
        archive.writestr(_member(MANIFEST), json.dumps(manifest, indent=2) + "\n")
    return count, len(needed), head


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n"


def _digests(ledger: Ledger, entry: Entry) -> Iterator[str]:
    yield entry.payload_digest
    if entry.files_digest is not None:
        yield entry.files_digest
        yield from decode_manifest(ledger.blob(entry.files_digest)).values()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _LONG_AGO)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = _PLAIN_FILE
    return info
