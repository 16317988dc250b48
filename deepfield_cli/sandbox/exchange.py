"""One request and its answer, with everything that can go wrong in the worker turned into a failed check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deepfield_cli.errors import SandboxError
from deepfield_cli.sandbox import faults
from deepfield_cli.sandbox.channel import FrameTooLarge
from deepfield_cli.sandbox.process import ScratchFull, WorkerDied, WorkerProcess, WorkerTimeout
from deepfield_cli.sandbox.wire import RemoteObject, WireError, decode, encode


def exchange(
    process: WorkerProcess,
    request: Mapping[str, Any],
    what: str,
    seconds: float,
    resolve: Callable[[int], Any] = RemoteObject,
) -> Any:
    """Send a request and return what came back.

    Args:
        process: the worker.
        request: the operation and its arguments.
        what: the learner's function, for the message.
        seconds: wall-clock limit.
        resolve: makes a reference of a number that the worker keeps.

    Raises:
        CheckFailed: the learner's code raised, died, dawdled or returned what cannot be read.
        SandboxError: the suite sent something that cannot be sent, or the warm process was lost.

    """
    try:
        frame = encode(dict(request), keep=_number_of)
    except WireError as error:
        raise SandboxError(f"the suite sent {what} something that cannot be sent: {error}") from error
    try:
        answer = decode(process.request(frame, seconds), resolve=resolve)
    except WorkerTimeout:
        raise faults.timeout_failure(what, seconds) from None
    except WorkerDied as death:
        if death.status is None:  # nobody knows how it ended, since the warm process that would is gone
            raise SandboxError("the warm process was lost, and the worker with it", fix="grade again") from None
        raise faults.death_failure(what, death.status) from None
    except ScratchFull:
        raise faults.scratch_failure(what) from None
    except (WireError, FrameTooLarge) as error:
        raise faults.answer_failure(what, str(error)) from None
    if isinstance(answer, dict) and answer.get("violations"):
        process.close()  # a trap tells of itself before the answer comes: what follows would answer the wrong question
        raise faults.violation_failure(answer["violations"], what)
    return _unwrapped(answer, what)


def _number_of(value: Any) -> int:
    number = getattr(value, "number", None)
    if isinstance(number, int):
        return number
    raise WireError(f"a value of type {type(value).__name__} cannot be sent")


def _unwrapped(answer: Any, what: str) -> Any:
    if not isinstance(answer, dict) or not ("ok" in answer or "fault" in answer):
        raise faults.answer_failure(what, "the answer has not the form of an answer")
    if "fault" in answer:
        fault = answer["fault"]
        raise faults.fault_as_failure(fault if isinstance(fault, dict) else {}, what)
    return answer["ok"]
