"""What can be computed again is kept in a cache folder: written whole or not at all, and never relied upon."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from deepfield_cli.whole_files import write_whole

CACHE_VARIABLE = "DEEPFIELD_CACHE"


def cache_folder() -> Path:
    """Where what can be computed again is kept: DEEPFIELD_CACHE, else the system's place for it."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("deepfield"))


def keep(path: Path, content: bytes) -> None:
    """Write it whole or not at all; where nothing can be written, the next look is slower and that is all."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def fingerprint_of(files: Iterable[Path], *facts: object) -> str:
    """Changes whenever one of the files or facts does."""
    states = ((path, path.stat()) for path in files)
    return short_digest([*map(str, facts), *(f"{path} {state.st_mtime_ns} {state.st_size}" for path, state in states)])


def short_digest(parts: Iterable[str]) -> str:
    """32 hexadecimal digits that stand for these texts."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
