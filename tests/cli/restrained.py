"""Run a command with less than the tests have: ``python restrained.py [--no-powers] [--file-bytes N] COMMAND ...``.

Root may write wherever it likes, and tests often run as root; without its powers it is stopped by permissions as
everybody is. A limit on the size of files is what a quota looks like to a program.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_PR_CAPBSET_DROP = 24
_MOST_CAPABILITIES = 64


def main(arguments: list[str]) -> None:
    """Give up what was asked, then become the command."""
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option == "--no-powers" and os.geteuid() == 0:
            _drop_powers()
        if option == "--file-bytes":
            size = int(arguments.pop(0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    os.execvp(arguments[0], arguments)


def _drop_powers() -> None:
    """What root may beyond others is lost with the next exec, since none of it is in the bounding set any more."""
    library = ctypes.CDLL(None, use_errno=True)
    for capability in range(_MOST_CAPABILITIES):
        if library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break


if __name__ == "__main__":
    main(sys.argv[1:])
