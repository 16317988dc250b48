"""The filter refuses what leads out, on both architectures, and lets through what honest code needs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from deepfield_cli.sandbox import seccomp
from tests.sandbox.conftest import Confined
from tests.sandbox.filters import ALLOWED, PRETENDED, REFUSED, UNKNOWN, Call, decide

needs_seccomp = pytest.mark.skipif(not seccomp.available(), reason="no seccomp filter for this machine")
MACHINES = ("x86_64", "aarch64")
ABOVE_4_GB = 0x5_0000_0000  # a pointer whose lower half is zero


def decision(machine: str, numbers: tuple[int | None, int | None], *arguments: int, **options: bool) -> str:
    program = seccomp._program(machine, **{"processes": False, "network": False, **options})
    number = numbers[MACHINES.index(machine)]
    assert number is not None
    return decide(program, Call(number, arguments, machine))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("options", [{}, {"processes": True}, {"network": True}, {"processes": True, "network": True}])
def test_what_is_always_denied_is_denied_everywhere(machine: str, options: dict[str, Any]) -> None:
    column = MACHINES.index(machine)
    for numbers in seccomp._ALWAYS_DENIED.values():
        if numbers[column] is not None:
            assert decision(machine, numbers, **options) == REFUSED
    for numbers in seccomp._PRETENDED.values():
        if numbers[column] is not None:
            assert decision(machine, numbers, **options) == PRETENDED


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_depend_on_their_arguments(machine: str) -> None:
    clone, clone3, prlimit = (56, 220), (435, 435), (302, 261)
    prctl, fcntl, ioctl, sendto, tgkill = (157, 167), (72, 25), (16, 29), (44, 206), (234, 131)
    thread, name_space = 0x00010000, 0x10000000
    expected: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((clone, 17), {}, REFUSED),  # fork
        ((clone, thread), {}, ALLOWED),
        ((clone, 17), {"processes": True}, ALLOWED),
        ((clone, 17 | name_space), {"processes": True}, REFUSED),
        ((clone3, 0), {}, UNKNOWN),
        ((clone3, 0), {"processes": True}, UNKNOWN),
        ((prlimit, 0, 7, 0, ABOVE_4_GB), {}, ALLOWED),
        ((prlimit, 0, 7, 0x1000, 0), {}, REFUSED),
        ((prlimit, 0, 7, ABOVE_4_GB, 0), {}, REFUSED),
        ((prctl, 1, 0), {}, REFUSED),  # PR_SET_PDEATHSIG
        ((prctl, 15, 0), {}, ALLOWED),  # PR_SET_NAME
        ((fcntl, 3, 8, 1), {}, REFUSED),  # F_SETOWN
        ((fcntl, 3, 15, 1), {}, REFUSED),  # F_SETOWN_EX
        ((fcntl, 3, 10, 9), {}, REFUSED),  # F_SETSIG
        ((fcntl, 3, 4, 0), {}, ALLOWED),  # F_SETFL
        ((ioctl, 0, 0x5412, 0), {}, REFUSED),  # TIOCSTI
        ((ioctl, 0, 0x5401, 0), {}, ALLOWED),  # TCGETS, which isatty asks
        ((sendto, 3, 0, 0, 0, 0, 0), {}, ALLOWED),  # send
        ((sendto, 3, 0, 0, 0, 0x1000, 16), {}, REFUSED),
        ((sendto, 3, 0, 0, 0, ABOVE_4_GB, 16), {}, REFUSED),
        ((sendto, 3, 0, 0, 0, 0x1000, 16), {"network": True}, ALLOWED),
        ((tgkill, os.getpid(), 1, 6), {}, ALLOWED),  # abort()
        ((tgkill, 1, 1, 9), {}, REFUSED),
    ]
    for arguments, options, wanted in expected:
        assert decision(machine, *arguments, **options) == wanted, (machine, arguments, options)


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_for_those_who_may_have_them(machine: str) -> None:
    column = MACHINES.index(machine)
    for numbers in seccomp._NETWORK_CALLS.values():
        assert decision(machine, numbers, 1) == REFUSED
        assert decision(machine, numbers, 1, network=True) == ALLOWED
    for numbers in seccomp._PROCESS_CALLS.values():
        if numbers[column] is not None:
            assert decision(machine, numbers) == REFUSED
            assert decision(machine, numbers, processes=True) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_ordinary_calls_pass(machine: str) -> None:
    read, write, mmap, futex, openat, socketpair = (0, 63), (1, 64), (9, 222), (202, 98), (257, 56), (53, 199)
    for numbers in (read, write, mmap, futex, openat, socketpair):
        assert decision(machine, numbers, 0) == ALLOWED


def test_another_architecture_or_calling_convention_is_no_way_round() -> None:
    program = seccomp._program("x86_64", processes=False, network=False)
    assert decide(program, Call(0, machine="aarch64")) == REFUSED
    assert decide(program, Call(0x40000000 | 101)) == REFUSED  # ptrace by its x32 number


def test_all_jumps_land_inside() -> None:
    for machine in MACHINES:
        program = seccomp._program(machine, processes=False, network=False)
        count = len(program) // 8
        for index in range(count):
            code, true, false = program[index * 8], program[index * 8 + 2], program[index * 8 + 3]
            assert code not in (0x15, 0x45, 0x35) or index + 1 + max(true, false) < count


# Each is harmless where it is let through, so that a free process can make the same call.
ATTEMPTS = """
import ctypes, json, os, resource, signal
library = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"

def errno_of(number, *arguments):
    ctypes.set_errno(0)
    answered = library.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return ctypes.get_errno() if answered == -1 else 0

result = {
    "unshare": errno_of(272 if x86 else 97, 0x400),
    "kill": errno_of(62 if x86 else 129, os.getpid(), 0),
    "rt_sigqueueinfo": errno_of(129 if x86 else 138, os.getpid(), 0, 0),
    "ptrace": errno_of(101 if x86 else 117, 0, 0, 0, 0),
    "process_vm_readv": errno_of(310 if x86 else 270, os.getpid(), 0, 0, 0, 0, 0),
    "pidfd_open": errno_of(434, os.getpid(), 0),
    "memfd_create": errno_of(319 if x86 else 279, ctypes.addressof(ctypes.create_string_buffer(b"x")), 0),
    "socket": errno_of(41 if x86 else 198, 1, 1, 0),
    "setsid": 0 if os.getpid() == os.getsid(0) else errno_of(112 if x86 else 157),
    "prlimit": errno_of(302 if x86 else 261, 0, 7, ctypes.addressof((ctypes.c_uint64 * 2)(64, 64)), 0),
    "prctl": errno_of(157 if x86 else 167, 1, 0, 0, 0, 0),
    "inotify_add_watch": errno_of(254 if x86 else 27, -1, 0, 0),
    "shmget": errno_of(29 if x86 else 194, 0, 1, 0o1600),
}
"""


@needs_seccomp
def test_the_kernel_agrees(confined: Confined) -> None:
    """What the reader of programs says of some calls is what a confined process meets, and a free one does not."""
    refused, free = confined(ATTEMPTS), confined(ATTEMPTS, free=True)
    assert {name for name, error in refused.items() if error != 1} <= {"setsid"}
    assert all(error != 1 for error in free.values()), free


@needs_seccomp
@pytest.mark.parametrize(
    "start", ["os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", "os.execv('/bin/true', ['true'])"]
)
def test_no_process_is_started(confined: Confined, start: str) -> None:
    code = f"""
import os
try:
    {start}
except OSError as error:
    result = error.errno
"""
    assert confined(code) in (1, 13)


@needs_seccomp
def test_threads_pairs_and_aborts_still_work(confined: Confined) -> None:
    code = """
import asyncio, socket, threading
seen = []
thread = threading.Thread(target=seen.append, args=("thread",))
thread.start()
thread.join()
one, other = socket.socketpair()
one.sendall(b"pair")
seen.append(other.recv(10).decode())
seen.append(asyncio.run(asyncio.sleep(0, "loop")))
result = seen
"""
    assert confined(code) == ["thread", "pair", "loop"]


@needs_seccomp
def test_rights_and_times_are_not_changed_though_it_is_said_so(confined: Confined, tmp_path: Any) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    victim.chmod(0o640)
    before = os.stat(victim)
    code = f"""
import os, shutil
os.chmod({str(victim)!r}, 0)
os.utime({str(victim)!r}, (1, 1))
open("a", "w").write("copied")
shutil.copy2("a", "b")
result = open("b").read()
"""
    assert confined(code, without=["landlock"]) == "copied"
    after = os.stat(victim)
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    confined(f"import os; os.chmod({str(victim)!r}, 0o600)", free=True)
    assert os.stat(victim).st_mode != before.st_mode


@needs_seccomp
def test_touch_makes_a_file_and_changes_none(confined: Confined, tmp_path: Any) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    os.utime(victim, (1, 1))
    code = f"""
import os, pathlib
pathlib.Path("new").touch()
pathlib.Path("new").touch()
descriptor = os.open("new", os.O_RDWR)
os.utime(descriptor)
try:
    os.utime({str(victim)!r})
    said = "done"
except PermissionError:
    said = "refused"
result = [sorted(os.listdir(".")), said]
"""
    assert confined(code, without=["landlock"]) == [["new"], "refused"]
    assert os.stat(victim).st_mtime == 1
