"""Where a dataset is kept: one cache folder for all workspaces, and in it a folder for each dataset."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.kept import cache_folder

DATA_VARIABLE = "DEEPFIELD_DATA"


def data_folder(named: Path | None = None) -> Path:
    """The cache of datasets: as named, else DEEPFIELD_DATA, else ``data`` in deepfield's cache folder."""
    chosen = str(named) if named is not None else os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else cache_folder().absolute() / "data"


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of one dataset in a cache.

    Whatever is not finished has a name that begins with a dot, so that nobody who looks for ``*.bin`` finds it; it
    stands beside what it becomes, so that a rename is all that finishing takes.
    """

    root: Path
    id: str

    @property
    def folder(self) -> Path:
        """What a grader gets, if the dataset is a folder."""
        return self.root / self.id

    @property
    def receipt(self) -> Path:
        """What is known of the files that are here."""
        return self.folder / ".deepfield.json"

    @property
    def lock(self) -> Path:
        """Outside of the folder and never removed: whoever holds it holds the only one."""
        return self.root / ".locks" / f"{self.id}.lock"

    def file(self, name: str) -> Path:
        """A finished file."""
        return self.folder / name

    def part(self, name: str) -> Path:
        """What has been fetched of it."""
        return self._beside(name, "part")

    def notes(self, name: str) -> Path:
        """What the server said of what is being fetched."""
        return self._beside(name, "part.json")

    def unpacked(self, name: str) -> Path:
        """What comes out of an archive, until it is known to be right."""
        return self._beside(name, "unpacked")

    def _beside(self, name: str, ending: str) -> Path:
        path = self.file(name)
        return path.with_name(f".{path.name}.{ending}")
