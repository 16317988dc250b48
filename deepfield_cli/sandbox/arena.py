"""Where the threads of a grade take their memory from: what one check gave back is there for the next."""

from __future__ import annotations

import contextlib

# Its number in glibc's malloc.h.
_M_ARENA_MAX = -8


def share_one_arena() -> None:
    """Let all threads that start from now on share one arena; where the C library is not glibc, nothing is done.

    glibc would give them up to eight arenas for each core, and each keeps at hand, for its own threads alone, what
    the largest check that ever ran in it had needed. Measured over 60 mutants of llm/bpe on two cores: 475 MB at
    their end with an arena for each thread and 314 MB with one, in the same time.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
