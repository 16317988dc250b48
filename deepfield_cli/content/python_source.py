"""Reading Python source as a tree, one thread at a time: CPython 3.11 loses count of its depth if two do so at once."""

from __future__ import annotations

import ast
import threading

_one_at_a_time = threading.Lock()


def parse(source: str | bytes) -> ast.Module:
    """The tree of a source; raises SyntaxError, or ValueError for a NUL byte, as ``ast.parse`` does."""
    with _one_at_a_time:
        return ast.parse(source)
