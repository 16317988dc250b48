"""Fetching one file: goes on where it stopped, tries again when it may help, and believes nothing before it is checked.

What has arrived stands in a file of its own, and beside it what the server said of it. Whether the rest can be added to
it is decided by the version that the server named (If-Range), or, where it names none, by a digest known beforehand. A
file that was put together from parts and turns out wrong is fetched once more from its beginning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deepfield_cli.datasets.disk import file_digest, readable_bytes, write_all, write_whole
from deepfield_cli.datasets.errors import DatasetError, NotOffered, writing
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.web import Answer, Offer, Passing, RangeRefused, ask

_BLOCK = 1 << 18
# So often in a row without getting on; with the pauses between them it is given up after about half a minute.
_ATTEMPTS = 6
# Without a route to the server there is nothing to wait for.
_ATTEMPTS_OFFLINE = 2
# A connection that brought less than this was no progress: a server that breaks off after every byte ends too.
_PROGRESS_BYTES = 1 << 16
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 16.0

Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted.

    Attributes:
        name: for messages.
        urls: where it is; the next one is tried when one does not offer it.
        bytes: its exact size; None if it is not known.
        sha256: its digest; None if it is not known beforehand.

    """

    name: str
    urls: tuple[str, ...]
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came: its digest as measured here, and as the server told it, if it did."""

    url: str
    sha256: str
    told: str | None


@dataclass(frozen=True, slots=True)
class _Notes:
    """What the server said when the part that is here was begun."""

    url: str
    total: int | None = None
    validator: str | None = None
    sha256: str | None = None


class Transfer:
    """One file on its way into ``part``; what is known of it stands in ``notes``."""

    def __init__(
        self, order: Order, part: Path, notes: Path, listener: Listener | None = None, pause: Pause = time.sleep
    ) -> None:
        self._order = order
        self._part = part
        self._notes_path = notes
        self._listener = listener or Listener()
        self._pause = pause

    def run(self) -> Arrival:
        """Fetch it; raise DatasetError with what is wrong if no address gives the right file."""
        refusals: list[DatasetError] = []
        for url in self._order.urls:
            try:
                return self._from(url)
            except NotOffered as refusal:
                refusals.append(refusal)
                if url != self._order.urls[-1]:
                    self._listener.on_note(f"{self._order.name}: {refusal.what}; trying another address")
        raise refusals[0]

    def discard(self) -> None:
        """Forget what is here."""
        with writing(self._part):
            self._part.unlink(missing_ok=True)
            self._notes_path.unlink(missing_ok=True)

    def _from(self, url: str) -> Arrival:
        while True:
            continued = self._size() > 0
            self._fill(url)
            arrival, wrong = self._check(url)
            if wrong is None:
                return arrival
            self.discard()
            if not continued:
                raise wrong
            self._listener.on_note(f"{self._order.name}: what was here does not fit the rest; starting again")

    def _check(self, url: str) -> tuple[Arrival, NotOffered | None]:
        self._listener.on_step("checking")
        told, size = self._notes().sha256, self._size()
        with writing(self._part):
            measured = file_digest(self._part, lambda done: self._listener.on_bytes(done, size))
        arrival = Arrival(url, measured, told)
        for expected, who in ((self._order.sha256, "should be"), (told, "is on the server")):
            if expected is not None and expected != measured:
                return arrival, NotOffered(
                    f"what came is not {self._order.name}: sha256 {measured[:12]}…, which {who} {expected[:12]}…",
                    where=url,
                    fix="nothing of it was kept; try again later, or deepfield data add a copy that you have",
                )
        return arrival, None

    def _fill(self, url: str) -> None:
        """Go on until every byte is here."""
        self._listener.on_step("fetching")
        failures, furthest, pause = 0, self._size(), _FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._attempt(url):
                    return
                raise Passing(f"the connection ended {self._missing()} before the end of the file")
            except Passing as trouble:
                if self._size() >= furthest + _PROGRESS_BYTES:
                    failures, furthest, pause = 0, self._size(), _FIRST_PAUSE_SECONDS
                failures += 1
                if failures >= (_ATTEMPTS_OFFLINE if trouble.offline else _ATTEMPTS):
                    raise self._given_up(url, trouble, failures) from trouble
                self._wait(trouble, pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _attempt(self, url: str) -> bool:
        """One request, from where we are; whether the file is complete then."""
        have = self._usable(url)
        notes = self._notes()
        if have and have == (self._order.bytes or notes.total):
            return True  # interrupted after the last byte: there is nothing left to ask for
        try:
            with ask(url, have, notes.validator if notes.url == url else None) as answer:
                total = self._accept(url, answer.offer, have, notes)
                return self._append(answer, total)
        except RangeRefused as refused:
            if refused.total == have and have in (self._order.bytes, notes.total):
                return True
            self.discard()
            raise Passing("the server has another version by now") from refused

    def _usable(self, url: str) -> int:
        """How many bytes are here that the rest can be added to; what cannot be used is dropped."""
        have, notes = self._size(), self._notes()
        total = self._order.bytes or notes.total
        same = notes.url == url or self._order.sha256 is not None
        checkable = notes.validator or notes.sha256 or self._order.sha256
        if have and not (same and checkable and (total is None or have <= total)):
            self.discard()
            return 0
        return have

    def _accept(self, url: str, offer: Offer, have: int, notes: _Notes) -> int | None:
        """Compare what is offered with what is wanted and with what is here; returns the size of the whole file."""
        wanted = self._order.bytes
        if wanted is not None and offer.total is not None and offer.total != wanted:
            raise NotOffered(
                f"the server has {offer.total:,} bytes where {self._order.name} has {wanted:,}",
                where=url,
                fix="it may have been replaced; deepfield data add takes a copy that you have",
            )
        if offer.start and (offer.start != have or (notes.total is not None and offer.total != notes.total)):
            self.discard()
            raise Passing("the server goes on at another place than was asked for")
        if offer.start == 0:
            self._begin(_Notes(url, offer.total, offer.validator, offer.sha256), had=have)
        return wanted if wanted is not None else offer.total

    def _begin(self, notes: _Notes, *, had: int) -> None:
        if had:
            self._listener.on_note(f"{self._order.name}: the server starts again from the beginning")
        with writing(self._part):
            self._part.unlink(missing_ok=True)
            self._part.touch()
        write_whole(self._notes_path, json.dumps(asdict(notes)).encode())

    def _append(self, answer: Answer, total: int | None) -> bool:
        size = self._size()
        with writing(self._part):
            file = self._part.open("ab", buffering=0)
        with file:
            for block in answer.blocks(_BLOCK):
                with writing(self._part):
                    write_all(file, block)
                size += len(block)
                self._listener.on_bytes(size, total)
                if total is not None and size > total:
                    self.discard()
                    raise NotOffered(f"the server sends more than the {total:,} bytes of {self._order.name}")
        return total is None or size == total

    def _wait(self, trouble: Passing, pause: float) -> None:
        seconds = pause if trouble.wait_seconds is None else max(trouble.wait_seconds, pause)
        self._listener.on_note(f"{self._order.name}: {trouble.reason}; trying again in {seconds:g} s")
        self._pause(seconds)

    def _given_up(self, url: str, trouble: Passing, failures: int) -> NotOffered:
        here = f"; {self._size():,} bytes are kept" if self._size() else ""
        return NotOffered(
            f"{urlsplit(url).hostname}: {trouble.reason}, {failures} times in a row{here}",
            where=url,
            fix="run it again when the network is back: it goes on from there"
            if here
            else "run it again when the network is back, or deepfield data add a copy that you have",
        )

    def _missing(self) -> str:
        total = self._order.bytes or self._notes().total
        return readable_bytes(total - self._size()) if total else "some way"

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _notes(self) -> _Notes:
        try:
            return _Notes(**json.loads(self._notes_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return _Notes("")
