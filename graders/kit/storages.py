"""Which tensor an address belongs to, and what kernels did to every byte of it."""

from __future__ import annotations

import bisect
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, Any]
# The name under which accesses are reported that hit no known tensor.
OUTSIDE = "outside"


@dataclass(frozen=True)
class Touched:
    """What kernels did to one tensor, in bytes.

    ``beyond``: accessed bytes of the storage that are no element of the watched view (the gaps of a slice).
    ``contested``: bytes stored plainly by one program of a launch and touched by another one of the same launch.
    ``kept``: bytes that at the end hold what a kernel stored last; less than the tensor's size if torch or numpy wrote.
    """

    size: int
    loaded: int = 0
    stored: int = 0
    atomics: int = 0
    distinct_loaded: int = 0
    distinct_stored: int = 0
    kept: int = 0
    contested: int = 0
    beyond: int = 0


@dataclass
class Tally:
    """Bytes and atomics counted so far."""

    loaded: int = 0
    stored: int = 0
    atomics: int = 0
    contested: int = 0
    beyond: int = 0


class Ground:
    """The memory of one storage, with a mark for every byte. Keeps the storage alive: its address is not used again."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.address = int(storage.data_ptr())
        self.size = int(storage.nbytes())
        self.names: list[str] = []
        self.tally = Tally()
        self.view: Bytes | None = None
        # A copy that the interpreter made of a tensor: told under the name of the original.
        self.is_copy = False
        self._marks: Marks | None = None

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def is_in_place(self) -> bool:
        """The memory is still there: torch may have resized the storage since."""
        return self.storage.device.type != "cpu" or (self.storage.data_ptr(), self.storage.nbytes()) == (
            self.address,
            self.size,
        )

    @property
    def touched(self) -> bool:
        return self._marks is not None

    @property
    def marks(self) -> Marks:
        if self._marks is None:
            self._marks = Marks(self.address, self.size)
        return self._marks

    def stand_in(self, copy: Ground) -> None:
        """From now on ``copy`` is the memory behind this storage; everything counted so far is kept."""
        copy.is_copy, copy.tally, copy.view = True, self.tally, self.view
        copy._marks = Marks(copy.address, copy.size, before=self._marks)
        self._marks = copy._marks

    def watch(self, name: str, tensor: Any) -> None:
        """A second view of the same storage widens what belongs to the tensor."""
        if name not in self.names:
            self.names.append(name)
        mask = elements_of(tensor, self.size)
        self.view = mask if self.view is None else self.view | mask

    def offsets(self, addresses: Bytes, itemsize: int) -> Bytes:
        """The place of every byte of these elements in the storage."""
        first = (addresses - np.uint64(self.address)).astype(np.int64)
        return first if itemsize == 1 else (first[:, None] + np.arange(itemsize)).reshape(-1)

    def note_beyond(self, offsets: Bytes) -> None:
        if self.view is not None and not self.view.all():
            self.tally.beyond += int(np.count_nonzero(~self.view[offsets]))

    def report(self) -> Touched:
        if self._marks is None:
            return Touched(size=self.size if self.view is None else int(self.view.sum()))
        mine = np.ones(self.size, dtype=bool) if self.view is None else self.view
        return Touched(
            size=int(mine.sum()),
            loaded=self.tally.loaded,
            stored=self.tally.stored,
            atomics=self.tally.atomics,
            distinct_loaded=int(self._marks.loaded.sum()),
            distinct_stored=int(self._marks.stored.sum()),
            kept=int((self._marks.kept() & mine).sum()) if self.is_in_place else 0,
            contested=self.tally.contested,
            beyond=self.tally.beyond,
        )


class Marks:
    """One mark per byte: was it loaded, was it stored and what, and which program did so last."""

    def __init__(self, address: int, size: int, before: Marks | None = None) -> None:
        self.live = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))
        self.loaded: Bytes = np.zeros(size, dtype=bool) if before is None else before.loaded
        self.stored: Bytes = np.zeros(size, dtype=bool) if before is None else before.stored
        self.shadow: Bytes = np.zeros(size, dtype=np.uint8) if before is None else before.shadow
        self.writer: Bytes = np.full(size, -1, dtype=np.int64) if before is None else before.writer

    def kept(self) -> Bytes:
        found: Bytes = self.stored & (self.live == self.shadow)
        return found


@dataclass
class Programs:
    """The running number of the program (block) that runs now; the first of the launch it belongs to."""

    now: int = 0
    first: int = 0


@dataclass
class Storages:
    """All storages that are known, found by address."""

    programs: Programs = field(default_factory=Programs)
    outside: Tally = field(default_factory=Tally)
    _grounds: list[Ground] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _twins: dict[int, Ground] = field(default_factory=dict)

    def know(self, tensor: Any) -> Ground | None:
        """Register the storage of a tensor; None if it has no memory of its own that could be told apart."""
        storage = storage_of(tensor)
        if storage is None or storage.nbytes() == 0:
            return None
        key, address, size = int(storage._cdata), int(storage.data_ptr()), int(storage.nbytes())
        known = self._twins.get(key)
        if known is not None and (known.address, known.size) == (address, size):
            return known
        place = bisect.bisect_right(self._starts, address) - 1
        if place >= 0 and address + size <= self._grounds[place].end:
            return self._grounds[place]  # the same memory under a second storage
        ground = Ground(storage)
        if storage.device.type == "cpu":  # only these are found by address
            self._grounds.insert(place + 1, ground)
            self._starts.insert(place + 1, address)
        self._twins[key] = ground
        return ground

    def pair(self, device: Any, host: Any) -> None:
        """The interpreter works on ``host``, a copy of ``device``: what happens to it is told of the original."""
        original, copy = self.know(device), self.know(host)
        if original is not None and copy is not None and original is not copy and not copy.is_copy:
            original.stand_in(copy)

    def name(self, name: str, tensor: Any) -> None:
        ground = self.know(tensor)
        if ground is None:
            if storage_of(tensor) is None:
                raise TypeError(f"{name} is a {type(tensor).__name__} and no tensor: its traffic cannot be watched")
            return
        ground.watch(name, tensor)

    # ---- what happens ----

    def loads(self, addresses: Bytes, itemsize: int) -> None:
        for ground, lanes in self.find(addresses, itemsize):
            if ground is None:
                self.outside.loaded += lanes.size * itemsize
                continue
            offsets = ground.offsets(lanes, itemsize)
            ground.tally.loaded += offsets.size
            ground.tally.contested += self._contested(ground.marks, offsets)
            ground.note_beyond(offsets)
            ground.marks.loaded[offsets] = True

    def stores(self, addresses: Bytes, itemsize: int) -> None:
        """Called when the bytes are in memory already."""
        for ground, lanes in self.find(addresses, itemsize):
            if ground is None:
                self.outside.stored += lanes.size * itemsize
                continue
            offsets = ground.offsets(lanes, itemsize)
            marks = ground.marks
            ground.tally.stored += offsets.size
            ground.tally.contested += self._contested(marks, offsets)
            ground.note_beyond(offsets)
            marks.writer[offsets] = self.programs.now
            marks.stored[offsets] = True
            marks.shadow[offsets] = marks.live[offsets]

    def atomics(self, addresses: Bytes, itemsize: int) -> None:
        """Called when the bytes are in memory already. Programs may meet in an atomic: that is what it is for."""
        for ground, lanes in self.find(addresses, itemsize):
            tally = self.outside if ground is None else ground.tally
            tally.loaded += lanes.size * itemsize
            tally.stored += lanes.size * itemsize
            tally.atomics += lanes.size
            if ground is None:
                continue
            offsets, marks = ground.offsets(lanes, itemsize), ground.marks
            ground.note_beyond(offsets)
            marks.loaded[offsets] = True
            marks.stored[offsets] = True
            marks.shadow[offsets] = marks.live[offsets]

    def find(self, addresses: Bytes, itemsize: int) -> Iterator[tuple[Ground | None, Bytes]]:
        """Split the addresses by the storage that they lie in. Nearly always they all lie in one."""
        if addresses.size == 0:
            return
        only = self._only_ground(addresses, itemsize)
        if only is not None:
            yield only, addresses
            return
        inside = self.inside(addresses, itemsize)
        if not inside.all():
            yield None, addresses[~inside]
        places = np.searchsorted(np.array(self._starts, dtype=np.uint64), addresses[inside], side="right") - 1
        for place in np.unique(places):
            yield self._grounds[place], addresses[inside][places == place]

    def inside(self, addresses: Bytes, itemsize: int) -> Bytes:
        """Which of these elements lie in a known storage as a whole."""
        if addresses.size and self._only_ground(addresses, itemsize) is not None:
            return np.ones(addresses.shape, dtype=bool)
        if not self._grounds:
            return np.zeros(addresses.shape, dtype=bool)
        starts = np.array(self._starts, dtype=np.uint64)
        ends = np.array([ground.end for ground in self._grounds], dtype=np.uint64)
        places = np.searchsorted(starts, addresses, side="right").astype(np.int64) - 1
        found: Bytes = (places >= 0) & (addresses + np.uint64(itemsize) <= ends[places])
        return found

    def _only_ground(self, addresses: Bytes, itemsize: int) -> Ground | None:
        """The storage that holds all of these elements, if one does."""
        low, high = int(addresses.min()), int(addresses.max()) + itemsize
        place = bisect.bisect_right(self._starts, low) - 1
        return self._grounds[place] if place >= 0 and high <= self._grounds[place].end else None

    def _contested(self, marks: Marks, offsets: Bytes) -> int:
        writers = marks.writer[offsets]
        return int(np.count_nonzero((writers >= self.programs.first) & (writers != self.programs.now)))

    # ---- what is told ----

    def report(self) -> dict[str, Touched]:
        grounds = list({id(ground): ground for ground in [*self._twins.values(), *self._grounds]}.values())
        told = {"|".join(ground.names): ground.report() for ground in grounds if ground.names}
        others = [ground for ground in grounds if ground.touched and not ground.names and not ground.is_copy]
        told.update({f"other:{number}": ground.report() for number, ground in enumerate(others)})
        if self.outside != Tally():
            told[OUTSIDE] = Touched(0, self.outside.loaded, self.outside.stored, self.outside.atomics)
        return told


def storage_of(tensor: Any) -> Any:
    """The storage of a torch tensor, or None."""
    tensor = getattr(tensor, "base", tensor) if not hasattr(tensor, "untyped_storage") else tensor
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else None


def elements_of(tensor: Any, size: int) -> Bytes:
    """Which bytes of its storage are elements of a (strided) tensor."""
    tensor = tensor if hasattr(tensor, "untyped_storage") else tensor.base
    itemsize = tensor.element_size()
    offsets = np.array([tensor.storage_offset() * itemsize])
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        offsets = (offsets[:, None] + np.arange(length) * (stride * itemsize)).reshape(-1)
    mask = np.zeros(size, dtype=bool)
    for byte in range(itemsize):
        mask[offsets + byte] = True
    return mask
