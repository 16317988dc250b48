"""Where a dataset is, for whoever needs it, and the one line that says how to get it."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.datasets.catalogue import find_dataset
from deepfield_cli.datasets.disk import readable_bytes
from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.datasets.holding import Holding, look


def locate(name: str, *, cache: Path | None = None) -> Path | None:
    """The file or folder of a dataset, if enough of it is here to grade with; ContentError for an unknown name."""
    return look(find_dataset(name), cache).path


def missing(name: str, *, cache: Path | None = None) -> DatasetError:
    """What to raise when ``locate`` returned None: what is missing, and the command that gets it."""
    holding = look(find_dataset(name), cache)
    if holding.state == "lost" and holding.receipt.addition is not None:
        return DatasetError(
            f"{name} was added from {holding.receipt.addition.path}, which is not there any more",
            fix=f"deepfield data add {name} PATH",
        )
    size = sum(file.bytes for file in holding.missing(holding.dataset.needed_files))
    return DatasetError(
        f"{_title(holding)} is not on this machine ({readable_bytes(size)})",
        fix=f"{get_command(holding)}, or deepfield data add {name} PATH if you have it",
    )


def get_command(holding: Holding) -> str:
    """The command that fetches as much as a grader needs."""
    few = f" --files {holding.dataset.enough}" if holding.dataset.enough else ""
    return f"deepfield data get {holding.dataset.id}{few}"


def _title(holding: Holding) -> str:
    part = " (what a grader needs of it)" if holding.dataset.enough else ""
    return f"dataset {holding.dataset.id}{part}"
