"""What can go wrong with a dataset, each said in one line that a person can act upon.

DatasetError
├── NotOffered      the server does not give out this file, or gives out another one: another address may
├── Busy            another process is fetching it
└── DiskRefused     the cache folder cannot be written, or the disk is full
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfield_cli.errors import DeepfieldError

# A quota or a limit on the size of files is to a learner what a full disk is.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CHOOSE = "choose another folder with DEEPFIELD_DATA or --cache"


class DatasetError(DeepfieldError):
    """A dataset is not here, not what it should be, or cannot be had."""


class NotOffered(DatasetError):
    """The address does not give the file that is wanted, and asking again would not help."""


class Busy(DatasetError):
    """Another process is at work on it."""


class DiskRefused(DatasetError):
    """The cache cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk says into one line that names the file."""
    try:
        yield
    except OSError as error:
        raise _refusal(error, path) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """The same for a file that is only read."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _refusal(error: OSError, path: Path) -> DiskRefused:
    if error.errno in _FULL:
        return DiskRefused(
            f"the disk is full ({error.strerror}); what was fetched so far is kept",
            where=str(path),
            fix=f"free some space and run it again, or {_CHOOSE}",
        )
    reason = error.strerror or os.strerror(error.errno or errno.EIO)
    return DiskRefused(f"cannot be written: {reason}", where=str(path), fix=_CHOOSE)
