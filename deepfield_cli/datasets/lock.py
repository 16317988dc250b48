"""One process at a time fetches a dataset; the lock ends with its holder, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfield_cli.datasets.disk import make_folder
from deepfield_cli.datasets.errors import Busy, writing


@contextmanager
def held(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of this file; if another process has it, tells so once and then waits, unless telling raises."""
    make_folder(path.parent)
    with writing(path):
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def held_at_once(path: Path, name: str) -> Iterator[None]:
    """Hold the lock of this file, or raise Busy."""

    def refuse() -> None:
        raise Busy(f"another deepfield is fetching {name}", fix="wait until it is done")

    with held(path, refuse):
        yield
