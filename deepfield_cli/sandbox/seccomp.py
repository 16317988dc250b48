"""A seccomp filter: no new processes, no sockets to anywhere, no way round the other walls.

Written as classic BPF by hand, since nothing else may be assumed to be installed. Source: the kernel's
userspace-api/seccomp_filter documentation; system call numbers from the kernel's tables.
"""

from __future__ import annotations

import ctypes
import os
import struct

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_DONE, _EPERM, _ENOSYS = 0, 1, 38
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000

_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86_64, aarch64); None where the architecture has no such call
_ALWAYS_DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "setrlimit": (160, 164),
    "sethostname": (170, 161),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "mq_open": (240, 180),
    # files that are memory count towards no limit of the process
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # Landlock guards what a file holds, not who owns it, its attributes, or (before its third version) its length
    "truncate": (76, 45),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
}
# Not done, though the caller is told that it was: shutil.copy and the like ask for it and must not fail, and Landlock
# would let a worker take the rights off any file of the user's, or leave marks for the next worker in a time stamp.
_PRETENDED: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}
_NETWORK_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
}
_PROCESS_CALLS: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_PRLIMIT, _SENDTO = (302, 261), (44, 206)
_TGKILL = (234, 131)
# Values of an argument that make a harmless call harmful: (call, argument, values).
_DENIED_VALUES: tuple[tuple[tuple[int, int], int, tuple[int, ...]], ...] = (
    ((157, 167), 0, (1,)),  # prctl: PR_SET_PDEATHSIG, with which a worker would outlive the warm process
    ((72, 25), 1, (8, 10, 15)),  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX send signals to any process
    ((16, 29), 1, (0x5412, 0x541C, 0x8901, 0x8902)),  # ioctl: type into a terminal; FIOSETOWN and SIOCSPGRP, as above
)
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: in a name space of its own a worker would be root
_CLONE_NAMESPACES = 0x7E020000


def available() -> bool:
    """Whether a filter can be written for this machine."""
    return os.uname().sysname == "Linux" and os.uname().machine in _AUDIT_ARCHITECTURE


def restrict(*, processes: bool = False, network: bool = False) -> bool:
    """Install the filter in this process for ever; return False where the machine has none.

    Args:
        processes: the worker may start processes (a compiler, say).
        network: the worker may open sockets.

    """
    if not available():
        return False
    program = _program(os.uname().machine, processes=processes, network=network)
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(no_new_privs)")
    code = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    return bool(library.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(header), 0, 0) == 0)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _program(machine: str, *, processes: bool, network: bool) -> bytes:
    column = 0 if machine == "x86_64" else 1
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_JUMP_EQUAL, _AUDIT_ARCHITECTURE[machine], 1, 0),
        _line(_RETURN, _ERRNO | _EPERM),
        _line(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [_line(_JUMP_GREATER_EQUAL, _X32_BIT, 0, 1), _line(_RETURN, _ERRNO | _EPERM)]
    denied = dict(_ALWAYS_DENIED)
    lines += _deny(_CLONE3[column], _ENOSYS)  # its flags lie in memory, out of sight; libraries then use clone
    if processes:
        lines += _when_argument(_CLONE[column], 0, [_line(_JUMP_ANY_BIT, _CLONE_NAMESPACES, 0, 1)])
    else:
        denied |= _PROCESS_CALLS
        lines += _when_argument(_CLONE[column], 0, [_line(_JUMP_ANY_BIT, _CLONE_THREAD, 1, 0)])
    if not network:
        denied |= _NETWORK_CALLS
        lines += _unless_null(_SENDTO[column], 4)  # without an address it goes to whom the socket is paired with
    for numbers in denied.values():
        lines += _deny(numbers[column], _EPERM)
    lines += _refuse_touch(_PRETENDED["utimensat"][column])
    for numbers in _PRETENDED.values():
        lines += _deny(numbers[column], _DONE)
    for call, argument, values in _DENIED_VALUES:
        lines += _unless_value(call[column], argument, values)
    lines += _unless_null(_PRLIMIT[column], 2)  # reading a limit has no new limit
    lines += _when_argument(_TGKILL[column], 0, [_line(_JUMP_EQUAL, os.getpid(), 1, 0)])  # raise(), abort()
    lines.append(_line(_RETURN, _ALLOW))
    return b"".join(lines)


def _deny(number: int | None, error: int) -> list[bytes]:
    """Refuse a call with this error; the architecture may not have it."""
    return [] if number is None else [_line(_JUMP_EQUAL, number, 0, 1), _line(_RETURN, _ERRNO | error)]


def _unless_value(number: int, argument: int, values: tuple[int, ...]) -> list[bytes]:
    """Refuse the call for these values of one argument."""
    count = len(values)
    tests = [_line(_JUMP_EQUAL, value, count - index - 1, 0) for index, value in enumerate(values[:-1])]
    return _when_argument(number, argument, [*tests, _line(_JUMP_EQUAL, values[-1], 0, 1)])


def _unless_null(number: int, argument: int) -> list[bytes]:
    """Refuse the call unless a pointer is null, in both halves: memory can be mapped where the lower one is zero."""
    high = _line(_LOAD, _ARGUMENTS + 8 * argument + 4)
    return _when_argument(number, argument, [_line(_JUMP_EQUAL, 0, 0, 2), high, _line(_JUMP_EQUAL, 0, 1, 0)])


def _refuse_touch(number: int | None) -> list[bytes]:
    """Refuse utimensat with a path, its second argument, and without times, its third: set "now" on a path.

    pathlib's touch asks for that first and makes the file only if it is told no; told that it was done, it makes none.
    """
    if number is None:
        return []
    path, times = _ARGUMENTS + 8, _ARGUMENTS + 16
    test = [
        _line(_JUMP_EQUAL, 0, 0, 7),
        *(_line(_LOAD, times + 4), _line(_JUMP_EQUAL, 0, 0, 5)),
        *(_line(_LOAD, path), _line(_JUMP_EQUAL, 0, 0, 2)),
        *(_line(_LOAD, path + 4), _line(_JUMP_EQUAL, 0, 1, 0)),
    ]
    return _when_argument(number, 2, test)


def _when_argument(number: int, argument: int, test: list[bytes]) -> list[bytes]:
    """Allow the call if the test jumps over its refusal; then load the number again for the lines that follow."""
    body = [_line(_LOAD, _ARGUMENTS + 8 * argument), *test, _line(_RETURN, _ERRNO | _EPERM), _line(_LOAD, _NUMBER)]
    return [_line(_JUMP_EQUAL, number, 0, len(body)), *body]


def _line(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, true, false, value)
