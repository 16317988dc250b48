"""What a parcel is made of, and how much of it is taken in: it may come from a stranger.

A parcel is a zip file with exactly these members:

    manifest.json       format, version, how many entries and blobs, the hash of the last entry, a digest of the entries
    entries.jsonl       one entry per line, oldest first, every column of it
    blobs/<sha-256>     payloads, lists of files and files, each named by its digest
"""

from __future__ import annotations

import re
from typing import Any

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.ledger.blobs import MAX_BLOB_BYTES as BLOB_BYTES

FORMAT, VERSION = "deepfield-record", 1
MANIFEST, ENTRIES, BLOBS = "manifest.json", "entries.jsonl", "blobs/"
BLOB_NAME = re.compile(r"blobs/[0-9a-f]{64}")
KEYS = {"format": str, "version": int, "program": str, "entries": int, "blobs": int, "head": str, "entries_digest": str}

MANIFEST_BYTES = 64 * 1024
# An entry without its payload is a few hundred bytes.
LINE_BYTES = 16 * 1024
# Years of daily work are some ten thousand entries of some kilobytes each.
TOTAL_BYTES = 4 * 1024**3
MEMBERS = 2_000_000
# Code and JSON shrink to a tenth. A small parcel may hold a file of zeros; a large one has no business to.
RATIO, RATIO_FROM_BYTES = 200, 256 * 1024**2

__all__ = ["BLOB_BYTES", "ParcelError", "manifest_fault"]


class ParcelError(DeepfieldError):
    """The file is no parcel, is damaged, was changed, or asks for more than one may."""


def manifest_fault(document: Any) -> str | None:
    """What is wrong with a manifest; None if it is as it should be. A newer version is told first."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return "it is no exported record"
    if type(document.get("version")) is int and document["version"] > VERSION:
        return f"it has version {document['version']}; this deepfield knows versions up to {VERSION}"
    if set(document) != set(KEYS) or any(type(document[key]) is not kind for key, kind in KEYS.items()):
        return "its manifest does not have the keys that it should"
    if document["version"] != VERSION or min(document["entries"], document["blobs"]) < 0:
        return "its manifest holds a number that cannot be"
    return None
