"""What went wrong in the learner's process, as a failed check in words that help.

A fault is the worker's own account, and the learner's code can write the socket itself: any field may be missing, of
another type, a gigabyte long, or text that no terminal and no JSON takes. Nothing in it may break the grader.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

from deepfield_cli.errors import CheckFailed
from deepfield_cli.sandbox.endings import wait_status_text

_MAXIMUM_TEXT = 2000
_MAXIMUM_NAME = 200
_MAXIMUM_FRAMES = 6

_HELP = {
    "not-implemented": "Replace `raise NotImplementedError` with your code; `deepfield hint` gives a first push.",
    "missing-name": "The suite calls it by exactly this name: compare with the starter (deepfield show lists the API).",
    "wrong-signature": "Compare the parameters with the starter: names and order are fixed.",
    "forbidden-call": "Write this part yourself: it is what the problem is about.",
    "out-of-memory": "Look for an array that grows with the square of its input, or a loop that keeps everything.",
    "bad-answer": "Return plain Python values, tensors or arrays.",
    "exited": "Return an answer instead of ending the process.",
    "syntax": "Fix the syntax at this line; the file could not be read as Python.",
    "raised": "deepfield repro writes the exact input, so that you can step through it in a debugger.",
    "timeout": "Look for a loop that does not end, or one that does far more work than it must.",
    "crashed": "The interpreter itself died: look at native code, ctypes, or recursion without an end.",
}


def fault_as_failure(fault: Mapping[str, Any], what: str) -> CheckFailed:
    """Turn a worker's fault into a CheckFailed that names the place in the learner's file."""
    kind = _text(fault.get("kind"), _MAXIMUM_NAME)
    text = _text(fault.get("text"), _MAXIMUM_TEXT)
    name = _text(fault.get("type"), _MAXIMUM_NAME) or "an exception"
    frames = _frames(fault.get("frames"))
    place = f" ({frames[-1]['file']}:{frames[-1]['line']})" if frames else ""
    words = {
        "not-implemented": f"{what} is not implemented yet{place}",
        "missing-name": f"{what}: {text}",
        "wrong-signature": f"{what} cannot be called as the problem asks: {text}",
        "forbidden-call": text,
        "out-of-memory": f"{what} ran out of memory{place}: {text}",
        "bad-answer": f"{what} returned something that cannot be sent back: {text}",
        "exited": f"{what} ended the process by SystemExit({text}){place}",
        "syntax": f"SyntaxError{place}: {text}",
        "raised": f"{what} raised {name}{place}: {text}".rstrip(": "),
    }
    kind = kind if kind in words else "raised"
    diagnosis = "not-loadable" if kind == "syntax" else kind
    return CheckFailed(words[kind], help=_HELP[kind], actual=_trace(frames), diagnosis=diagnosis)


def load_failure(failure: CheckFailed) -> CheckFailed:
    """A fault while the file itself was run: whatever was raised, the submission is not loadable."""
    kept = {"not-implemented", "forbidden-call", "out-of-memory", "exited", "crashed", "timeout"}
    diagnosis = failure.diagnosis if failure.diagnosis in kept else "not-loadable"
    return CheckFailed(failure.rationale, help=failure.help, actual=failure.actual, diagnosis=diagnosis)


def timeout_failure(what: str, seconds: float) -> CheckFailed:
    """No answer in time."""
    return CheckFailed(f"{what} gave no answer within {seconds:.3g} s", help=_HELP["timeout"], diagnosis="timeout")


def death_failure(what: str, status: int) -> CheckFailed:
    """The process ended without an answer."""
    text = f"the process was {wait_status_text(status)} while {what} ran"
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return CheckFailed(text, help=_HELP["out-of-memory"], diagnosis="out-of-memory")
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return CheckFailed(text, help=_HELP["timeout"], diagnosis="timeout")
    if os.WIFSIGNALED(status):
        return CheckFailed(text, help=_HELP["crashed"], diagnosis="crashed")
    return CheckFailed(text.replace("was ended", "ended"), help=_HELP["exited"], diagnosis="exited")


def answer_failure(what: str, text: str) -> CheckFailed:
    """An answer that cannot be decoded, or is too large."""
    return CheckFailed(
        f"{what} returned something that cannot be read: {text}", help=_HELP["bad-answer"], diagnosis="bad-answer"
    )


def scratch_failure(what: str) -> CheckFailed:
    """Too much written to disk."""
    return CheckFailed(
        f"{what} wrote more than 2 GB of files", help="Keep what you need in memory.", diagnosis="out-of-memory"
    )


def violation_failure(violations: Any, what: str) -> CheckFailed:
    """The submission called something forbidden, whatever it answered in the end."""
    first = violations[0] if isinstance(violations, list) and violations else None
    return fault_as_failure({"kind": "forbidden-call", "text": first or "a call that the rules exclude"}, what)


def _text(value: Any, length: int) -> str:
    """Text that can be printed and stored: a lone surrogate fits neither UTF-8 nor JSON."""
    if type(value) is not str:
        return ""
    cut = value[:length] + ("…" if len(value) > length else "")
    return cut.encode("utf-8", "backslashreplace").decode("utf-8")


def _frames(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list):
        return []
    frames = [frame for frame in value[-_MAXIMUM_FRAMES:] if isinstance(frame, dict)]
    return [
        {
            "file": _text(frame.get("file"), _MAXIMUM_NAME),
            "line": str(frame.get("line")) if type(frame.get("line")) is int else "?",
            "function": _text(frame.get("function"), _MAXIMUM_NAME),
            "source": _text(frame.get("source"), _MAXIMUM_NAME),
        }
        for frame in frames
    ]


def _trace(frames: list[dict[str, str]]) -> str | None:
    lines = [f"{frame['file']}:{frame['line']} {frame['function']}  {frame['source']}".rstrip() for frame in frames]
    return "\n".join(lines) or None
