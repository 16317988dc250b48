"""What went wrong in the learner's process, as a failed check in words that help."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

from deepfield_cli.errors import CheckFailed
from deepfield_cli.sandbox.endings import wait_status_text

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
    kind = str(fault.get("kind", "raised"))
    text = str(fault.get("text", ""))
    place = _place(fault)
    words = {
        "not-implemented": f"{what} is not implemented yet{place}",
        "missing-name": f"{what}: {text}",
        "wrong-signature": f"{what} cannot be called as the problem asks: {text}",
        "forbidden-call": text,
        "out-of-memory": f"{what} ran out of memory{place}: {text}",
        "bad-answer": f"{what} returned something that cannot be sent back: {text}",
        "exited": f"{what} ended the process by SystemExit({text}){place}",
        "syntax": f"SyntaxError{place}: {text}",
        "raised": f"{what} raised {fault.get('type')}{place}: {text}".rstrip(": "),
    }
    kind = kind if kind in words else "raised"
    diagnosis = "not-loadable" if kind == "syntax" else kind
    return CheckFailed(words[kind], help=_HELP[kind], actual=_trace(fault), diagnosis=diagnosis)


def load_failure(failure: CheckFailed) -> CheckFailed:
    """A fault while the file itself was run: whatever was raised, the submission is not loadable."""
    kept = {"not-implemented", "forbidden-call", "out-of-memory", "exited"}
    diagnosis = failure.diagnosis if failure.diagnosis in kept else "not-loadable"
    return CheckFailed(failure.rationale, help=failure.help, actual=failure.actual, diagnosis=diagnosis)


def timeout_failure(what: str, seconds: float) -> CheckFailed:
    """No answer in time."""
    return CheckFailed(f"{what} gave no answer within {seconds:.3g} s", help=_HELP["timeout"], diagnosis="timeout")


def death_failure(what: str, status: int | None) -> CheckFailed:
    """The process ended without an answer."""
    if status is None:
        return CheckFailed(f"the process ended while {what} ran", help=_HELP["crashed"], diagnosis="crashed")
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


def _place(fault: Mapping[str, Any]) -> str:
    frames = fault.get("frames") or []
    return f" ({frames[-1]['file']}:{frames[-1]['line']})" if frames else ""


def _trace(fault: Mapping[str, Any]) -> str | None:
    frames = fault.get("frames") or []
    lines = [f"{frame['file']}:{frame['line']} {frame['function']}  {frame['source']}".rstrip() for frame in frames]
    return "\n".join(lines) or None
