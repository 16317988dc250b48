"""The warm pool: one zygote per set of preloaded modules, and workers forked from it, some of them ahead of time."""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import sys
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack

from deepfield_cli.errors import SandboxError
from deepfield_cli.sandbox.arena import share_one_arena
from deepfield_cli.sandbox.blueprint import Blueprint, confine
from deepfield_cli.sandbox.process import WorkerProcess
from deepfield_cli.sandbox.spawning import spawn_zygote

# Importing torch takes 1 to 3 s on a quiet laptop; a cold disk or a busy machine is slower by an order of magnitude.
START_SECONDS = 120.0
# Stopped workers hold memory: as many as one grade of a large suite leaves, and never more, whoever forgets to tidy.
MAXIMUM_PARKED = 32
# What ending a few workers and what they started takes at the most, before it is done less gently.
_GENTLE_SECONDS, _LOOK_SECONDS = 5.0, 0.01


class ZygoteLost(SandboxError):
    """The warm process ended while it was needed."""


class Zygote:
    """A process that has imported ``modules``, with ``settings`` in its environment, and forks workers on request."""

    def __init__(
        self,
        modules: Sequence[str],
        settings: Mapping[str, str] | None = None,
        started: tuple[int, socket.socket] | None = None,
    ) -> None:
        self.recipe = tuple(modules), tuple(sorted((settings or {}).items()))
        self.arming: Mapping[str, Any] | None = None
        self.may_have_grandchildren = False
        self._lock = threading.Lock()
        self._ready = False
        self.pid, self._control = started or spawn_zygote(modules, settings)
        self._control.settimeout(START_SECONDS)

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
            if self.arming is not None:
                self._arm(self.arming)

    def _arm(self, arming: Mapping[str, Any]) -> None:
        packed = zlib.compress(msgpack.packb(dict(arming)), 1)
        self._control.send(msgpack.packb({"op": "arm", "arming": packed}))
        fault = self._receive()["fault"]
        if fault is not None:
            raise SandboxError(f"the problem's probe or traps cannot be loaded: {fault}")

    def fork(self) -> WorkerProcess:
        """Return a new worker, not yet confined."""
        self.wait_ready()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        read_end, write_end = os.pipe()
        try:
            descriptors = array.array("i", [theirs.fileno(), write_end])
            reply = self._ask({"op": "fork"}, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        except BaseException:
            ours.close()
            os.close(read_end)
            raise
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
        """End the zygote; its workers die with it.

        Where workers may start processes of their own, it is given the time to find and end those too.
        """
        self._control.close()
        if self.may_have_grandchildren and self._ended_within(_GENTLE_SECONDS):
            return
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if sys.platform == "linux":  # its workers are told by the kernel; elsewhere it ends them itself
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                    time.sleep(_LOOK_SECONDS)
                    continue
            return True
        return False

    def _ask(self, request: dict[str, Any], ancillary: list[tuple[int, int, Any]]) -> dict[str, Any]:
        with self._lock:
            try:
                self._control.sendmsg([msgpack.packb(request)], ancillary)
            except OSError as error:
                raise ZygoteLost(f"the warm process is gone: {error}", fix="run the command again") from error
            return self._receive()

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._control.recv(65536)
        except OSError as error:
            raise SandboxError(f"the warm process does not answer: {error}", fix="run the command again") from error
        if not data:
            raise ZygoteLost("the warm process has ended", fix="run the command again; deepfield doctor shows more")
        reply: dict[str, Any] = msgpack.unpackb(data)
        return reply


class WarmPool:
    """Zygotes, one per problem's modules and traps, each with spare workers forked before they were needed."""

    def __init__(self) -> None:
        share_one_arena()  # whoever has a pool exchanges large values with its workers, from several threads
        self._zygotes: dict[Key, Zygote] = {}
        self._unarmed: list[Zygote] = []
        self._idle: dict[Key, list[WorkerProcess]] = {}
        self._parked: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> WarmPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def adopt(self, zygote: Zygote) -> None:
        """Take over a zygote that was started before it was known for which problem."""
        self._unarmed.append(zygote)

    def start(self, blueprint: Blueprint) -> Zygote:
        """The zygote for a blueprint's modules and traps, started if there is none; does not wait for it."""
        key = _key(blueprint)
        with self._lock:
            if self._closed:  # a thread that is late: what it would start, nobody would end
                raise SandboxError("the grade is over")
            if key not in self._zygotes:
                waiting = next((one for one in self._unarmed if one.recipe == key[:2]), None)
                if waiting is not None:
                    self._unarmed.remove(waiting)
                self._zygotes[key] = waiting or Zygote(blueprint.preload, blueprint.environment)
                self._zygotes[key].arming = blueprint.arming()
            self._zygotes[key].may_have_grandchildren |= blueprint.limits.processes
            return self._zygotes[key]

    def refill(self, blueprint: Blueprint, spares: int) -> None:
        """Fork spare workers and confine them for a blueprint, so that the next grade need not."""
        key = _key(blueprint)
        with self._lock:
            idle = self._idle.pop(key, [])
        kept = [worker for worker in idle if worker.prepared_for == blueprint.place()]
        _close_all([worker for worker in idle if worker not in kept])
        while len(kept) < spares:
            worker = self._fork(blueprint)
            confine(worker, blueprint)
            kept.append(worker)
        with self._lock:
            self._idle[key] = kept

    def acquire(self, blueprint: Blueprint) -> WorkerProcess:
        """A fresh worker: a spare one that is confined for this blueprint if there is, else a new fork."""
        ready = self._take_spare(blueprint)
        while ready is not None and not ready.stands_by():  # it went with its warm process: nobody's failure
            ready.close()
            ready = self._take_spare(blueprint)
        return ready or self._fork(blueprint)

    def _take_spare(self, blueprint: Blueprint) -> WorkerProcess | None:
        with self._lock:
            idle = self._idle.get(_key(blueprint), [])
            ready = next((worker for worker in idle if worker.prepared_for == blueprint.place()), None)
            if ready is not None:
                idle.remove(ready)
            return ready

    def _fork(self, blueprint: Blueprint) -> WorkerProcess:
        zygote = self.start(blueprint)
        try:
            return zygote.fork()
        except ZygoteLost:  # the kernel's memory killer took it, say: once more, with a new one
            with self._lock:
                if self._zygotes.get(_key(blueprint)) is zygote:
                    del self._zygotes[_key(blueprint)]
                    zygote.close()
            return self.start(blueprint).fork()

    def park(self, worker: WorkerProcess) -> None:
        """Stop a worker that is done with; it is ended by the next ``tidy``."""
        worker.park()
        with self._lock:
            self._parked.append(worker)
            surplus, self._parked = self._parked[:-MAXIMUM_PARKED], self._parked[-MAXIMUM_PARKED:]
        _close_all(surplus)

    def tidy(self) -> None:
        """End the parked workers."""
        with self._lock:
            parked, self._parked = self._parked, []
        _close_all(parked)

    def close(self) -> None:
        """End every process of the pool."""
        with self._lock:
            self._closed = True
        for worker in [*self._parked, *(worker for idle in self._idle.values() for worker in idle)]:
            worker.abandon()
        for zygote in [*self._zygotes.values(), *self._unarmed]:
            zygote.close()
        self._zygotes.clear()
        self._idle.clear()
        self._parked.clear()


Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...], bytes]


def _key(blueprint: Blueprint) -> Key:
    settings = tuple(sorted(blueprint.environment.items()))
    return tuple(blueprint.preload), settings, msgpack.packb(blueprint.arming())


def _close_all(workers: Sequence[WorkerProcess]) -> None:
    for worker in workers:
        worker.close()
