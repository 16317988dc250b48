"""Runs the blocks of a post one after the other, in one name space; this file is laid beside the post in the worker."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import traceback
import types

_MOST_CHARACTERS = 200_000
_POST = types.ModuleType("__main__")


def begin(name: str, text: str) -> None:
    """Tell of the code that is coming, each line where it stands in the post: tracebacks and inspect ask for it."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    sys.modules["__main__"] = _POST
    _POST.__file__ = name


def run(name: str, source: str, line: int, mode: str) -> dict[str, str]:
    """Run one block that begins at a line of the post; return what it printed, and its traceback if it raised."""
    printed, fault = io.StringIO(), ""
    try:
        code = compile("\n" * (line - 1) + source, name, mode, dont_inherit=True)
        with contextlib.redirect_stdout(printed):
            exec(code, _POST.__dict__)
    except BaseException as error:  # noqa: BLE001 - whatever a block raises is told with its line
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        fault = "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])
    return {"printed": printed.getvalue()[:_MOST_CHARACTERS], "fault": fault[-_MOST_CHARACTERS:]}
