"""What is known of the files of a dataset that were fetched, and of the copy that somebody pointed at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from deepfield_cli.datasets.disk import write_whole

# beforehand: stated in the dataset's file. server: told by the server that gave the file. nobody: measured here, when
# it came for the first time, so that a later copy can be compared with it.
KnownBy = Literal["beforehand", "server", "nobody"]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What came.

    Attributes:
        bytes: its size, unpacked.
        sha256: its digest, unpacked.
        known_by: who said that this is the right digest.
        url: where it came from.
        at: when, in UTC.

    """

    bytes: int
    sha256: str
    known_by: KnownBy
    url: str
    at: str


@dataclass(frozen=True, slots=True)
class Addition:
    """A copy that was there already.

    Attributes:
        path: where it is.
        found: what was found in it, in a few words.
        published: whether it is byte for byte what the publisher offers; None where that was not looked into.
        at: when it was looked at, in UTC.

    """

    path: str
    found: str
    published: bool | None
    at: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record of one dataset. It stays when the files are removed: what comes later can be compared with it."""

    files: Mapping[str, FileRecord] = field(default_factory=dict)
    addition: Addition | None = None

    def with_file(self, name: str, record: FileRecord) -> Receipt:
        """The same with one more file."""
        return replace(self, files={**self.files, name: record})

    def with_addition(self, addition: Addition | None) -> Receipt:
        """The same, pointing at a copy, or at none."""
        return replace(self, addition=addition)


def read_receipt(path: Path) -> Receipt:
    """The receipt; an empty one if there is none, or none that can be read: the files are then looked at again."""
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Receipt()


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write it whole or not at all."""
    document = {"format_version": 1, **asdict(receipt)}
    write_whole(path, (json.dumps(document, indent=1) + "\n").encode())


def _parse(document: Any) -> Receipt:
    addition = document["addition"]
    return Receipt(
        files={name: FileRecord(**record) for name, record in document["files"].items()},
        addition=Addition(**addition) if addition else None,
    )
