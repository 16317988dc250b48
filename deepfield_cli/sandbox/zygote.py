"""The warm process: imports the heavy modules once, then forks a worker for every grade.

Started as ``python -I -m deepfield_cli.sandbox.zygote FD MODULES``. Each request on the control socket is one msgpack
map; a fork request carries the worker's socket and its output pipe as file descriptors. It never runs learner's code.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import zlib
from typing import Any

import msgpack

from deepfield_cli.sandbox import worker
from deepfield_cli.sandbox.channel import CONNECTION_DESCRIPTOR
from deepfield_cli.sandbox.confinement import readable_roots

# What a message on the control socket may hold: a problem's traps, its probe and the kit, compressed.
MAXIMUM_MESSAGE_BYTES = 1 << 18
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(control_descriptor: int, modules: list[str]) -> None:
    """Import, say so, and serve fork requests until the grader hangs up.

    The grader's death ends this process too, since the socket then reads as closed. (A parent-death signal would not
    do: it follows the thread that spawned us, and threads of the grader come and go.)
    """
    control = socket.socket(fileno=control_descriptor)
    os.chdir("/")  # the learner's folder may go away, and libraries look for themselves from where they stand
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    gc.disable()
    missing = [text for text in map(_import, modules) if text]
    _warm_up()
    prototype = worker.Worker()
    children: set[int] = set()
    try:
        _reply(control, {"ready": not missing, "missing": missing})
        while _serve_one(control, children, prototype):
            pass
    finally:
        for child in children:
            _kill(child)
            _wait(child, 0)
        _kill_orphans(set())
        os._exit(0)


def _serve_one(control: socket.socket, children: set[int], prototype: worker.Worker) -> bool:
    data, ancillary, _, _ = control.recvmsg(MAXIMUM_MESSAGE_BYTES, socket.CMSG_SPACE(2 * array.array("i").itemsize))
    if not data:
        return False
    request = msgpack.unpackb(data)
    descriptors = _descriptors(ancillary)
    if request["op"] == "fork":
        child = _fork(control, descriptors, prototype)
        children.add(child)
        _reply(control, {"pid": child})
    elif request["op"] == "arm":
        _reply(control, {"fault": _arm(prototype, msgpack.unpackb(zlib.decompress(request["arming"])))})
    elif request["op"] == "reap":
        children.discard(request["pid"])
        _reply(control, {"status": _reap(request["pid"], children)})
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _arm(prototype: worker.Worker, arming: dict[str, Any]) -> str | None:
    """Set the problem's traps and load its probe: grader code, inherited by every worker."""
    try:
        prototype.arm(**arming)
    except Exception as error:  # noqa: BLE001 - a probe that cannot be loaded is told to the author
        return f"{type(error).__name__}: {error}"
    gc.freeze()
    return None


def _fork(control: socket.socket, descriptors: list[int], prototype: worker.Worker) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _become_worker(control, descriptors, prototype)
    finally:
        os._exit(70)


def _become_worker(control: socket.socket, descriptors: list[int], prototype: worker.Worker) -> None:
    os.setsid()
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    connection, output = descriptors
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _show_every_line()
    control.close()
    os.dup2(connection, CONNECTION_DESCRIPTOR)
    for descriptor in _open_descriptors():
        if descriptor > CONNECTION_DESCRIPTOR:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    worker.serve(socket.socket(fileno=CONNECTION_DESCRIPTOR), prototype)


def _show_every_line() -> None:
    """What the learner prints is sent line by line, so that it is there even if the process dies; any text can be."""
    sys.stdout, sys.stderr = (
        open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for descriptor in (1, 2)
    )


def _open_descriptors() -> list[int]:
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return [int(name) for name in os.listdir(folder)]


def _reap(child: int, children: set[int]) -> int | None:
    """Kill a worker with its group and everything it left behind; return how it had ended."""
    status = _wait(child, os.WNOHANG)
    _kill(child)
    if status is None:
        status = _wait(child, 0)
    _kill_orphans(children)
    return status


def _wait(child: int, options: int) -> int | None:
    try:
        done, status = os.waitpid(child, options)
    except ChildProcessError:
        return None
    return status if done else None


def _kill_orphans(children: set[int]) -> None:
    """Grandchildren that outlived their worker are ours now (subreaper), and none of them is wanted."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            strays = [int(number) for number in listing.read().split() if int(number) not in children]
    except OSError:  # no such list on this kernel: the process group was killed, which is what there is
        return
    for stray in strays:
        _kill(stray)
        _wait(stray, 0)


def _kill(child: int) -> None:
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(child, signal.SIGKILL)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _import(name: str) -> str | None:
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever a library does at import is told to the user
        return f"{name}: {type(error).__name__}: {error}"
    return None


def _warm_up() -> None:
    """Do here, once, what every worker would do at its first step: paths, torch's first operators, /proc/cpuinfo."""
    readable_roots([])
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        ones = torch.ones(2, 2)
        torch.softmax(ones @ ones, dim=-1).sum().item()


def _reply(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(msgpack.packb(message))


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), [name for name in sys.argv[2].split(",") if name])
