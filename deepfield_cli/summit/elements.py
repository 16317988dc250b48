"""An array as it lies in a file: elements of so many bytes, which can be shuffled without knowing what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

# Types whose last bit is far below what any measurement sees (6e-8 and 1e-16 of the number), as whole numbers.
_NUDGED = {"float32": "<u4", "float64": "<u8"}
_NUDGED_SHARE = 0.01
Kind = Literal["float", "whole", "other"]


@dataclass(frozen=True)
class Array:
    """One array of a file.

    Attributes:
        name: where it stands in the file.
        raw: its bytes.
        width: bytes of one element.
        type_name: float32, bfloat16, int64, ...

    """

    name: str
    raw: bytes
    width: int
    type_name: str

    @property
    def kind(self) -> Kind:
        """Floating point, whole numbers, or something else."""
        if "float" in self.type_name:
            return "float"
        return "whole" if self.type_name.startswith(("int", "uint", "bool")) else "other"

    @property
    def count(self) -> int:
        """How many elements it has."""
        return len(self.raw) // self.width

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def is_uniform(self) -> bool:
        """Whether all its elements are alike, so that no order of them is another one."""
        if self.count < 2 or self.raw[: self.width] != self.raw[-self.width :]:
            return self.count < 2
        return self.raw == self.raw[: self.width] * self.count

    def values(self) -> list[float]:
        """Its numbers; empty for a type whose numbers nobody here can read."""
        import numpy as np

        if self.type_name == "bfloat16":
            return [float(one) for one in (np.frombuffer(self.raw, "<u2").astype("<u4") << 16).view("<f4")]
        if self.type_name in ("float16", "float32", "float64"):
            return [float(one) for one in np.frombuffer(self.raw, np.dtype(self.type_name).newbyteorder("<"))]
        return []

    def nudged(self, rng: np.random.Generator) -> bytes:
        """The same numbers but for the last bit of a few; whole numbers and short types stay, as they may be labels."""
        import numpy as np

        if self.type_name not in _NUDGED:
            return self.raw
        values = np.frombuffer(self.raw, np.dtype(self.type_name).newbyteorder("<")).copy()
        chosen = np.flatnonzero((rng.random(values.size) < _NUDGED_SHARE) & (values != np.round(values)))
        values.view(_NUDGED[self.type_name])[chosen] ^= 1
        return values.tobytes()

    def shuffled(self, rng: np.random.Generator) -> bytes:
        """The same elements in another order; the same bytes where all elements are alike."""
        import numpy as np

        elements = np.frombuffer(self.raw, np.dtype((np.void, self.width)))
        if self.is_uniform:
            return self.raw
        while (found := rng.permutation(elements).tobytes()) == self.raw:
            pass
        return found


# What is written in the place of an array: its own bytes, or as many others.
Change = Callable[[Array], bytes]


class Format(Protocol):
    """A kind of file with arrays in it. Both raise ValueError for a file of another kind."""

    def read(self, source: Path) -> Iterator[Array]:
        """The arrays, one at a time."""

    def write(self, source: Path, target: Path, change: Change) -> None:
        """A copy with changed arrays, encoded otherwise than the source: the same numbers in other bytes."""
