"""Removing a folder that the learner's code has written to, whatever it looks like."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Delete a folder and all below it; what cannot be deleted is left.

    shutil.rmtree recurses, and a thousand folders within each other are made in a moment; paths may be longer than the
    kernel takes, and folders may have no rights. So each folder is opened from its parent, never followed through a
    link, and what lies too deep is first moved up to the top.
    """
    with contextlib.suppress(OSError):
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(folder)


def _empty(top: int) -> None:
    """Delete all files of the top folder, and move the contents of its folders up into it, until nothing is left."""
    mark = secrets.token_hex(8)  # no name below can have it
    fresh_names = (f"{mark}-{number}" for number in itertools.count())
    stuck: set[str] = set()
    while True:
        names = [name for name in os.listdir(top) if name not in stuck]
        if not names:
            return
        for name in names:
            _lift(top, name, fresh_names)
            if not _removed(top, name):
                stuck.add(name)


def _lift(top: int, name: str, fresh_names: Iterator[str]) -> None:
    """Delete the files of a folder, and move its folders up into the top one under names that are not taken."""
    with contextlib.suppress(OSError):
        if not _is_folder(top, name):
            return
        os.chmod(name, 0o700, dir_fd=top)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        try:
            for child in os.listdir(inner):
                _take_out(inner, child, top, next(fresh_names))
        finally:
            os.close(inner)


def _take_out(source: int, name: str, target: int, new_name: str) -> None:
    with contextlib.suppress(OSError):
        if not _is_folder(source, name):
            os.unlink(name, dir_fd=source)
            return
        os.chmod(name, 0o700, dir_fd=source)  # a folder that may not be written cannot be moved
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)


def _is_folder(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _removed(top: int, name: str) -> bool:
    for remove in (os.unlink, os.rmdir):
        with contextlib.suppress(OSError):
            remove(name, dir_fd=top)
            return True
    return False
