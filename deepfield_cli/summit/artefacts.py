"""Artefacts: the checkpoints and predictions that a claim rests on, looked into and disturbed, and never run."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit.elements import Array, Change, Format
from deepfield_cli.summit.numpy_files import ManyArrays, OneArray
from deepfield_cli.summit.safetensors_file import Tensors
from deepfield_cli.summit.torch_file import Checkpoint
from deepfield_cli.whole_files import whole_file

if TYPE_CHECKING:
    import numpy as np

_FORMATS: Mapping[str, Format] = {
    ".npy": OneArray(),
    ".npz": ManyArrays(),
    ".safetensors": Tensors(),
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), Checkpoint()),
}
KNOWN = tuple(_FORMATS)
# An array no longer than this may be a table of results; in a longer one a number is found by chance.
_TABLE = 64
# Fewer elements than this are shared by files that have nothing to do with each other: counters, constants.
_TELLING = 256


class ArtefactError(DeepfieldError):
    """An artefact cannot be read as what its name says it is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What an artefact holds.

    Attributes:
        numbers: elements that can be disturbed.
        tables: numbers of short arrays.
        arrays: digest of each long array, and how many elements it has.

    """

    numbers: int
    tables: tuple[float, ...]
    arrays: Mapping[str, int]

    def share_of(self, other: Survey) -> float:
        """How much of this one's long arrays is, byte for byte, in the other."""
        total = sum(self.arrays.values())
        return sum(count for digest, count in self.arrays.items() if digest in other.arrays) / total if total else 0.0


def survey(path: Path) -> Survey:
    """Look into an artefact; raise ArtefactError if it cannot be read."""
    counts: dict[str, int] = {}
    tables: list[float] = []
    arrays: dict[str, int] = {}
    for array in _arrays_of(path):
        if not array.is_uniform:
            counts[array.kind] = counts.get(array.kind, 0) + array.count
        if array.count <= _TABLE:
            tables += array.values()
        if array.count >= _TELLING:
            arrays[array.digest] = array.count
    return Survey(counts.get(_kind_of(counts), 0), tuple(tables), arrays)


def encode_again(path: Path, rng: np.random.Generator) -> None:
    """Rewrite an artefact so that nobody who computes with it sees a difference, and whoever knows its bytes does.

    The file is laid out otherwise, and here and there the last bit of a number is another, as on another machine.
    """
    _rewrite(path, lambda array: array.nudged(rng))


def disturb(path: Path, rng: np.random.Generator) -> None:
    """Shuffle the numbers of every array within the array.

    What was learned is gone, while each array keeps its values: a variance stays positive, a probability below one.
    Whole numbers are touched only where there are no others, since they may be positions.
    """
    kind = _kind_of({array.kind for array in _arrays_of(path) if not array.is_uniform})
    _rewrite(path, lambda array: array.shuffled(rng) if array.kind == kind else array.raw)


def _kind_of(kinds: Container[str]) -> str:
    """Which numbers of an artefact are disturbed."""
    return "float" if "float" in kinds else "whole"


def _arrays_of(path: Path) -> Iterator[Array]:
    with _explained(path):
        yield from _format_of(path).read(path)


def _rewrite(path: Path, change: Change) -> None:
    with _explained(path), whole_file(path) as fresh:
        _format_of(path).write(path, fresh, change)


def _format_of(path: Path) -> Format:
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise ArtefactError(f"{path.name}: nobody here can look into such a file", fix=f"one of {', '.join(KNOWN)}")
    return found


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, EOFError, MemoryError, RuntimeError, NotImplementedError) as error:
        raise ArtefactError(f"{path.name} cannot be read as {path.suffix}: {error}") from error
