"""The warm pool: one zygote per set of preloaded modules, and workers forked from it, some of them ahead of time."""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

import msgpack

from deepfield_cli.errors import SandboxError
from deepfield_cli.sandbox.process import WorkerProcess

# Importing torch takes 1 to 3 s on a quiet laptop; a cold disk or a busy machine is slower by an order of magnitude.
START_SECONDS = 120.0
_PASSED_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
)
# One thread each: libraries must not start thread pools before the fork, and bit-for-bit results need one order of sums.
_FIXED_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/nonexistent",
}


class Zygote:
    """A process that has imported ``modules`` and forks workers on request."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = tuple(modules)
        self._lock = threading.Lock()
        self._ready = False
        kind = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_STREAM
        self._control, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self._control.settimeout(START_SECONDS)
        theirs.set_inheritable(True)
        environment = {
            name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ
        } | _FIXED_ENVIRONMENT
        command = [sys.executable, "-I", "-m", "deepfield_cli.sandbox.zygote", str(theirs.fileno()), ",".join(modules)]
        self.pid = os.posix_spawn(sys.executable, command, environment, setsid=True)
        theirs.close()

    def wait_ready(self) -> None:
        """Block until the modules are imported; raise SandboxError if one cannot be."""
        with self._lock:
            if self._ready:
                return
            reply = self._receive()
            if not reply["ready"]:
                raise SandboxError(
                    f"a module that this problem needs cannot be imported: {'; '.join(reply['missing'])}",
                    fix="install it; deepfield doctor shows what is there",
                )
            self._ready = True

    def fork(self) -> WorkerProcess:
        """Return a new worker, not yet confined."""
        self.wait_ready()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        read_end, write_end = os.pipe()
        try:
            descriptors = array.array("i", [theirs.fileno(), write_end])
            reply = self._ask({"op": "fork"}, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        finally:
            theirs.close()
            os.close(write_end)
        return WorkerProcess(pid=int(reply["pid"]), connection=ours, output=read_end, reap=self.reap)

    def reap(self, pid: int) -> int | None:
        """Kill a worker and everything it started; return the wait status with which it had ended."""
        try:
            status = self._ask({"op": "reap", "pid": pid}, [])["status"]
        except SandboxError:
            return None
        return None if status is None else int(status)

    def close(self) -> None:
        """End the zygote; its workers die with it."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)

    def _ask(self, request: dict[str, Any], ancillary: list[tuple[int, int, Any]]) -> dict[str, Any]:
        with self._lock:
            try:
                self._control.sendmsg([msgpack.packb(request)], ancillary)
            except OSError as error:
                raise SandboxError(f"the warm process is gone: {error}", fix="run the command again") from error
            return self._receive()

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._control.recv(65536)
        except OSError as error:
            raise SandboxError(f"the warm process does not answer: {error}", fix="run the command again") from error
        if not data:
            raise SandboxError("the warm process ended before it was ready", fix="deepfield doctor shows why")
        reply: dict[str, Any] = msgpack.unpackb(data)
        return reply


class WarmPool:
    """Zygotes by their modules, each with spare workers that were forked before they were needed."""

    def __init__(self, *, spares: int = 0) -> None:
        self.spares = spares
        self._zygotes: dict[tuple[str, ...], Zygote] = {}
        self._idle: dict[tuple[str, ...], list[WorkerProcess]] = {}
        self._arming: dict[tuple[str, ...], bytes] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> WarmPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, modules: Sequence[str]) -> Zygote:
        """Start the zygote for these modules if there is none; do not wait for it."""
        key = tuple(modules)
        with self._lock:
            if key not in self._zygotes:
                self._zygotes[key] = Zygote(key)
            return self._zygotes[key]

    def adopt(self, zygote: Zygote) -> None:
        """Take over a zygote that was started before the pool."""
        self._zygotes.setdefault(zygote.modules, zygote)

    def refill(self, modules: Sequence[str], arming: bytes) -> None:
        """Fork spare workers and arm them, so that the next grade need not.

        Args:
            modules: the preloaded modules.
            arming: the encoded request that sets a problem's traps; spares armed otherwise are ended first.

        """
        key = tuple(modules)
        zygote = self.start(key)
        with self._lock:
            idle = self._idle.pop(key, [])
        if self._arming.get(key) != arming:
            _close_all(idle)
            idle = []
        while len(idle) < self.spares:
            worker = zygote.fork()
            worker.request(arming, START_SECONDS)
            worker.armed = True
            idle.append(worker)
        with self._lock:
            self._arming[key] = arming
            self._idle[key] = idle

    def acquire(self, modules: Sequence[str], arming: bytes | None = None) -> WorkerProcess:
        """A fresh worker: a spare one that is armed for this problem if there is, else a new fork."""
        key = tuple(modules)
        with self._lock:
            idle = self._idle.get(key)
            if idle and self._arming.get(key) == arming:
                return idle.pop()
        return self.start(key).fork()

    def close(self) -> None:
        """End every process of the pool."""
        _close_all([worker for idle in self._idle.values() for worker in idle])
        for zygote in self._zygotes.values():
            zygote.close()
        self._zygotes.clear()
        self._idle.clear()


def _close_all(workers: Sequence[WorkerProcess]) -> None:
    for worker in workers:
        worker.close()


def wait_status_text(status: int) -> str:
    """Say how a process ended, in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        names: dict[int, str] = {
            signal.SIGSEGV: "a segmentation fault",
            signal.SIGKILL: "being killed",
            signal.SIGXCPU: "using up its CPU time",
        }
        return f"ended by {names.get(number, signal.Signals(number).name)} (signal {number})"
    return f"ended by itself with exit code {os.WEXITSTATUS(status)}"
