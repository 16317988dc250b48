"""The learner's side: a loop that receives a request, calls the submission, and returns plain values.

It holds no expected value, no tolerance, no clock and no verdict. Every answer is ``{"ok": value}`` or
``{"fault": {...}}``, with the forbidden calls seen so far.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import resource
import socket
import sys
import types
from pathlib import Path
from typing import Any

from deepfield_cli.sandbox.channel import ChannelClosed, receive_frame, send_frame
from deepfield_cli.sandbox.confinement import confine
from deepfield_cli.sandbox.loading import ForbiddenModules, learner_frames, load_probe, load_submission
from deepfield_cli.sandbox.traps import ForbiddenCall, Traps
from deepfield_cli.sandbox.wire import WireError, decode, encode

# What allocators say when there is no memory: MemoryError, and torch's own words inside a RuntimeError.
_OUT_OF_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "Cannot allocate memory")
_MAXIMUM_TEXT = 2000
# Made while there is room for it.
_NO_MEMORY_LEFT = encode(
    {"fault": {"kind": "out-of-memory", "type": "MemoryError", "text": "", "frames": []}, "violations": []}
)


class MissingName(Exception):
    """The submission has no such function, class or attribute."""


def serve(connection: socket.socket, worker: Worker) -> None:
    """Answer requests until the grader hangs up. Runs in a freshly forked process."""
    while True:
        try:
            request = decode(receive_frame(connection), resolve=worker.value_of, worker=True)
        except (ChannelClosed, EOFError):
            os._exit(0)
        except (WireError, MemoryError) as error:
            send_frame(connection, encode({"fault": worker.describe(error)}))
            continue
        send_frame(connection, worker.answer(request))


class Worker:
    """One submission, loaded once, and the values of it that stay here."""

    def __init__(self) -> None:
        self._kept: dict[int, Any] = {}
        self._numbers = itertools.count(1)
        self._module: types.ModuleType | None = None
        self._probe: types.ModuleType | None = None
        self._folder = Path()
        self._traps = Traps([])

    def answer(self, request: dict[str, Any]) -> bytes:
        """Do what is asked and return the encoded answer, whatever happens in the learner's code."""
        try:
            operation = getattr(self, "do_" + str(request.pop("op")))
            value = operation(**request)
            _flush()
            return encode({"ok": value, "violations": self._traps.violations}, keep=self.keep)
        except BaseException as error:  # noqa: BLE001 - the one place where the learner's exceptions end
            return self._fault_answer(error)

    def _fault_answer(self, error: BaseException) -> bytes:
        _release(error)
        try:
            fault = self.describe(error)
        except BaseException:  # noqa: BLE001 - an exception whose own __str__ raises
            fault = {"kind": "raised", "type": type(error).__name__, "text": "", "frames": []}
        try:
            return encode({"fault": fault, "violations": self._traps.violations})
        except MemoryError:
            return _NO_MEMORY_LEFT

    # what the grader may ask

    def arm(
        self,
        *,
        rules: list[dict[str, Any]],
        modules: dict[str, str],
        probe: str | None,
        kit: dict[str, str],
        threads: int,
    ) -> None:
        """Set the problem's traps; done once in the zygote, for all workers that it will fork."""
        torch = sys.modules.get("torch")
        if torch is not None and threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        self._traps = Traps(rules)
        self._traps.arm()
        sys.meta_path.insert(0, ForbiddenModules(modules))
        if probe is not None:
            self._probe = load_probe(probe, kit)

    def do_confine(
        self, *, folder: str, scratch: str, limits: dict[str, Any], hidden: list[str], readable: list[str]
    ) -> str:
        """Lock this process down before it reads the learner's first line; return the isolation's name."""
        self._folder = Path(folder)
        gc.enable()
        return confine(self._folder, Path(scratch), limits, hidden, readable)

    def do_load(self, *, entry: str) -> None:
        """Run the learner's entry file."""
        self._module = load_submission(self._folder, entry)

    def do_call(self, *, target: str, on: Any, positional: list[Any], named: dict[str, Any], opaque: Any) -> Any:
        """Call a function of the submission, or a method of a value that was kept."""
        function = self._find(target, on)
        result = function(*positional, **named)
        return self._with_opaque(result, opaque)

    def do_get(self, *, target: str, on: Any, opaque: Any) -> Any:
        """Read an attribute."""
        return self._with_opaque(self._find(target, on), opaque)

    def do_put(self, *, value: Any) -> Any:
        """Keep a value here."""
        return _Kept(self.keep(value))

    def do_fetch(self, *, value: Any) -> Any:
        """Show a kept value."""
        return value

    def do_take(self, *, value: Any, count: int) -> list[Any]:
        """The next items of an iterator."""
        iterator = iter(value)
        items = list(itertools.islice(iterator, count))
        return items

    def do_probe(self, *, function: str, positional: list[Any], named: dict[str, Any], opaque: Any) -> Any:
        """Call the grader's probe beside the submission."""
        if self._probe is None:
            raise MissingName("this problem has no probe")
        result = getattr(self._probe, function)(self._module, *positional, **named)
        return self._with_opaque(result, opaque)

    def do_usage(self) -> dict[str, float]:
        """Peak memory in bytes, where the grader cannot read it from outside."""
        scale = 1 if sys.platform == "darwin" else 1024
        return {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale}

    # how it is done

    def keep(self, value: Any) -> int:
        """Hold a value under a new number."""
        if type(value) is _Kept:
            return value.number
        number = next(self._numbers)
        self._kept[number] = value
        return number

    def value_of(self, number: int) -> Any:
        """The value under a number that the grader sent."""
        if number not in self._kept:
            raise WireError(f"no value {number} is kept here")
        return self._kept[number]

    def _find(self, target: str, on: Any) -> Any:
        owner = self._module if on is None else on[0]
        for part in target.split("."):
            try:
                owner = getattr(owner, part)
            except AttributeError as error:
                if learner_frames(error, self._folder):
                    raise  # a property of the learner's that fails inside
                raise MissingName(f"{_name_of(owner)} has no {part}") from error
        return owner

    def _with_opaque(self, result: Any, opaque: Any) -> Any:
        if opaque is True:
            return _Kept(self.keep(result))
        if not opaque or not isinstance(result, tuple | list):
            return result
        return tuple(_Kept(self.keep(item)) if index in opaque else item for index, item in enumerate(result))

    def describe(self, error: BaseException) -> dict[str, Any]:
        """A fault as plain values: its kind, its words, and where in the learner's files it happened."""
        frames = learner_frames(error, self._folder)
        fault = {"kind": _kind(error, frames), "type": type(error).__name__, "frames": frames}
        if isinstance(error, SyntaxError):
            fault["frames"] = [_syntax_frame(error, self._folder)]
        fault["text"] = (error.msg if isinstance(error, SyntaxError) else str(error))[:_MAXIMUM_TEXT]
        return fault


def _release(error: BaseException) -> None:
    """Let go of what the learner's functions held when they raised: after a MemoryError an answer needs the room."""
    trace = error.__traceback__
    while trace is not None:
        with contextlib.suppress(RuntimeError):  # our own frames, which still run
            trace.tb_frame.clear()
        trace = trace.tb_next


def _flush() -> None:
    """Send what was printed without a newline on its way: the process may be stopped after its answer."""
    with contextlib.suppress(Exception):  # whatever the learner has put in its place
        sys.stdout.flush()


class _Kept:
    """Marks a value that must cross as a reference, whatever it is."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _kind(error: BaseException, frames: list[dict[str, Any]]) -> str:
    if isinstance(error, MemoryError) or any(word in str(error) for word in _OUT_OF_MEMORY_WORDS):
        return "out-of-memory"
    if isinstance(error, TypeError) and not frames:
        return "wrong-signature"
    kinds = {
        NotImplementedError: "not-implemented",
        ForbiddenCall: "forbidden-call",
        MissingName: "missing-name",
        WireError: "bad-answer",
        SystemExit: "exited",
        SyntaxError: "syntax",
    }
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), "raised")


def _syntax_frame(error: SyntaxError, folder: Path) -> dict[str, Any]:
    name = os.path.relpath(error.filename, folder) if error.filename else "?"
    return {"file": name, "line": error.lineno or 0, "function": "", "source": (error.text or "").strip()[:200]}


def _name_of(owner: Any) -> str:
    if isinstance(owner, types.ModuleType):
        return Path(owner.__file__ or owner.__name__).name
    return getattr(owner, "__name__", type(owner).__name__)
