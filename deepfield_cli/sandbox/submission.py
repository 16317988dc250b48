"""The submission as a suite sees it: call, keep, fetch; every failure of the learner's code is a failed check."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.sandbox import faults, scratch
from deepfield_cli.sandbox.blueprint import Blueprint, confine
from deepfield_cli.sandbox.exchange import exchange
from deepfield_cli.sandbox.process import WorkerProcess
from deepfield_cli.sandbox.wire import RemoteObject
from deepfield_cli.sandbox.working_time import working_time

# Operations at the beginning and at the end of a check that a repro file is made of.
_KEPT_AT_EACH_END = 50
# How often ``kill_during`` looks whether the moment has come.
_LOOK_SECONDS = 0.002


@dataclass(frozen=True)
class Usage:
    """What a worker has used, read from outside."""

    cpu_seconds: float
    peak_memory_bytes: int


class Workers(Protocol):
    """Where worker processes come from and go to."""

    def acquire(self, blueprint: Blueprint) -> WorkerProcess:
        """Give a fresh worker."""

    def park(self, worker: WorkerProcess) -> None:
        """Take back a worker that is done with."""


class Recorder:
    """Notes the calls of one check, so that a failure can be replayed in a debugger."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def note(self, call: dict[str, Any]) -> None:
        """Keep one operation: the first ones, and the last ones, among which is the one that failed."""
        self.calls.append(call)
        del self.calls[_KEPT_AT_EACH_END:-_KEPT_AT_EACH_END]


class Submission:
    """One worker with the learner's code loaded, started at the first use.

    Args:
        workers: gives a fresh worker process, and takes it back.
        blueprint: what the worker runs and may use.
        call_seconds: the wall-clock limit of everything that is asked of it, from its start on.

    """

    def __init__(self, workers: Workers, blueprint: Blueprint, *, call_seconds: float) -> None:
        self._deadline: float | None = None
        self.isolation: str | None = None
        self.recorder = Recorder()
        self._workers = workers
        self._blueprint = blueprint
        self._call_seconds = call_seconds
        self._process: WorkerProcess | None = None
        self._earlier_output = ""
        self._numbers = itertools.count(1)

    def call(
        self,
        target: str,
        *positional: Any,
        opaque: bool | Sequence[int] = False,
        timeout_seconds: float | None = None,
        **named: Any,
    ) -> Any:
        """Call a function of the submission and return its answer.

        Args:
            target: name, dotted for a class or static method (``"Tokenizer.train"``).
            positional: arguments; numpy arrays arrive as numpy arrays, ``Tensor`` as a torch tensor.
            opaque: True keeps the whole answer in the worker; ``(1,)`` keeps item 1 of a returned tuple there, and
                demands a tuple of at least two.
            timeout_seconds: wall-clock limit of this call.
            named: keyword arguments.

        Raises:
            CheckFailed: whatever the learner's code did wrong, in words.

        """
        return self._call(target, None, positional, named, opaque, timeout_seconds)

    def get(self, target: str, *, opaque: bool = False) -> Any:
        """Read a module-level value of the submission."""
        return self._answer({"op": "get", "target": target, "on": None, "opaque": opaque}, target, None)

    def put(self, value: Any) -> Reference:
        """Send a value to stay in the worker; pass the reference in calls, fetch it to see whether it was changed."""
        return self._reference(self._answer({"op": "put", "value": value}, "put", None), "put")

    def probe(
        self, function: str, *positional: Any, opaque: bool = False, timeout_seconds: float | None = None, **named: Any
    ) -> Any:
        """Call ``function(module, ...)`` of the problem's probe.py, inside the worker."""
        request = {
            "op": "probe",
            "function": function,
            "positional": list(positional),
            "named": named,
            "opaque": opaque,
        }
        return self._answer(request, f"your code (under the probe {function})", timeout_seconds)

    @property
    def scratch(self) -> str:
        """The one folder that the worker may write: its working directory, HOME and TMPDIR."""
        return str(self._scratch())

    def write_file(self, name: str, content: bytes) -> str:
        """Write a file into the scratch folder, folders between included; return its path as the worker sees it."""
        return scratch.write_file(self._scratch(), name, content)

    def read_file(self, name: str) -> bytes | None:
        """What a file of the scratch folder holds; None if there is none."""
        return scratch.read_file(self._scratch(), name)

    def kill_during(
        self,
        target: str,
        *positional: Any,
        until: Callable[[], bool],
        timeout_seconds: float | None = None,
        **named: Any,
    ) -> bool:
        """Call a function, and kill the worker with SIGKILL as soon as ``until()`` is true; return whether it was.

        What the function returns is dropped. If the call ended first the worker lives on; after a kill the next use
        starts a new one with the same scratch folder.

        Raises:
            CheckFailed: the call failed by itself.

        """
        self._started()
        killed = False
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="doomed") as executor:
            call = executor.submit(self._call, target, None, positional, named, True, timeout_seconds)
            while not killed and not wait([call], timeout=_LOOK_SECONDS).done:
                if until():
                    self.kill()
                    killed = True
        if killed:
            self.restart()
            return call.exception() is not None
        call.result()
        return False

    def restart(self) -> None:
        """End the worker; the next use starts a fresh one with the same scratch folder, and no reference is left."""
        if self._process is not None:
            self._blueprint = replace(self._blueprint, kept=self._scratch())
            self._earlier_output += self._process.output()
            self._workers.park(self._process)
            self._process = None

    def usage(self) -> Usage:
        """CPU seconds and peak memory of the worker so far, children included, read from outside."""
        process = self._started()
        try:
            return Usage(process.cpu_seconds(), process.peak_memory_bytes())
        except OSError:  # no /proc on this system: ask inside, and take the calling process's word for memory
            answer = self._answer({"op": "usage"}, "usage", None)
            peak = answer.get("peak_bytes") if isinstance(answer, dict) else None
            if type(peak) is not int:
                raise faults.answer_failure("usage", "it is no number") from None
            return Usage(0.0, peak)

    def peak_memory_bytes(self) -> int:
        """Largest resident set of the worker so far."""
        return self.usage().peak_memory_bytes

    def start(self) -> None:
        """Start the worker and load the submission now, not at the first call."""
        self._started()

    def output(self) -> str:
        """What the learner's code printed."""
        return self._earlier_output + ("" if self._process is None else self._process.output())

    def kill(self) -> None:
        """End the worker from another thread: whoever waits for its answer is told that it died."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Let go of the worker, and of what was noted, which belongs to whoever took it by now."""
        # The references in it hold this submission: as a ring they would stay until Python looks for rings, and how
        # large the values in one are is nothing that it looks at.
        self.recorder = Recorder()
        if self._process is not None:
            self._earlier_output += self._process.output()
            self._workers.park(self._process)
            self._process = None

    def _scratch(self) -> Path:
        folder = self._started().scratch
        if folder is None:
            raise SandboxError("the worker has no scratch folder")
        return folder

    # shared with Reference

    def _call(
        self,
        target: str,
        on: int | None,
        positional: Sequence[Any],
        named: Mapping[str, Any],
        opaque: bool | Sequence[int],
        timeout_seconds: float | None,
    ) -> Any:
        owner = None if on is None else [RemoteObject(on)]
        request: dict[str, Any] = {"op": "call", "target": target, "on": owner}
        request |= {"positional": list(positional), "named": dict(named)}
        request["opaque"] = opaque if isinstance(opaque, bool) else list(opaque)
        value = self._answer(request, target, timeout_seconds)
        if not isinstance(opaque, bool):
            _demand_tuple(value, max(opaque) + 1, target)
            for index in opaque:
                self._reference(value[index], target)
        return value

    def _answer(self, request: Mapping[str, Any], what: str, timeout_seconds: float | None) -> Any:
        process = self._started()
        remaining = self._remaining(process, what)
        note = {**request, "result": None}
        self.recorder.note(note)
        note["result"] = value = self._exchange(process, request, what, min(timeout_seconds or remaining, remaining))
        return self._reference(value, what) if request.get("opaque") is True else value

    def _remaining(self, process: WorkerProcess, what: str) -> float:
        if self._deadline is None:
            self._deadline = working_time.now() + self._call_seconds
        remaining = self._deadline + process.starved_seconds() - working_time.now()
        if remaining <= 0:
            raise faults.timeout_failure(what, self._call_seconds)
        return remaining

    def _exchange(self, process: WorkerProcess, request: Mapping[str, Any], what: str, seconds: float) -> Any:
        return exchange(process, request, what, seconds, self._resolve)

    def _started(self) -> WorkerProcess:
        if self._process is None:
            self._process = self._workers.acquire(self._blueprint)
            self._set_up(self._process)
        return self._process

    def _set_up(self, process: WorkerProcess) -> None:
        plan = self._blueprint
        if process.prepared_for != plan.place():
            confine(process, plan)
        self.isolation = process.isolation
        try:
            load = {"op": "load", "entry": plan.entry}
            self._exchange(process, load, plan.entry, self._remaining(process, plan.entry))
        except CheckFailed as failure:
            raise faults.load_failure(failure) from None

    def _reference(self, value: Any, what: str) -> Reference:
        """Only a forged answer has a value where a reference is due."""
        if not isinstance(value, Reference):
            raise faults.answer_failure(what, "a value came where it was to stay in the worker")
        return value

    def _resolve(self, number: int) -> Reference:
        return Reference(self, number)


class Reference:
    """A value of the learner's that stays in the worker: an object, a cache, a model, an iterator."""

    __slots__ = ("_submission", "number")

    def __init__(self, submission: Submission, number: int) -> None:
        self._submission = submission
        self.number = number

    def call(
        self,
        method: str,
        *positional: Any,
        opaque: bool | Sequence[int] = False,
        timeout_seconds: float | None = None,
        **named: Any,
    ) -> Any:
        """Call a method of the value."""
        return self._submission._call(method, self.number, positional, named, opaque, timeout_seconds)

    def get(self, attribute: str, *, opaque: bool = False) -> Any:
        """Read an attribute of the value."""
        request = {"op": "get", "target": attribute, "on": [RemoteObject(self.number)], "opaque": opaque}
        return self._submission._answer(request, attribute, None)

    def fetch(self) -> Any:
        """The value as it is now, if it is plain; else this same reference's twin."""
        return self._submission._answer({"op": "fetch", "value": RemoteObject(self.number)}, "fetch", None)

    def take(self, count: int, *, timeout_seconds: float | None = None) -> list[Any]:
        """The next ``count`` items of an iterator; fewer at its end."""
        request = {"op": "take", "value": RemoteObject(self.number), "count": count}
        items = self._submission._answer(request, "the returned iterator", timeout_seconds)
        return items if isinstance(items, list) else []

    def __repr__(self) -> str:
        return f"<a value of yours, kept in the worker: {self.number}>"


def _demand_tuple(value: Any, count: int, what: str) -> None:
    if isinstance(value, tuple) and len(value) >= count:
        return
    shown = f"{len(value)} values" if isinstance(value, tuple | list) else f"one {type(value).__name__}"
    raise CheckFailed(
        f"{what} returned {shown} where a tuple of {count} was asked for",
        help="Compare the return statement with the signature in the starter.",
        diagnosis="wrong-type",
    )
