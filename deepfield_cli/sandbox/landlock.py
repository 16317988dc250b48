"""Landlock by system call: after ``restrict`` this process reads and writes only what it was given.

Source: the kernel's userspace-api/landlock documentation; each version of the interface adds rights.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
# bits 4 to 12: remove and make every kind of file and folder
_MAKE_AND_REMOVE = 0b1_1111_1111 << 4
_MAKE_DEVICES = (1 << 6) | (1 << 11)  # character and block devices: never needed
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPE_ABSTRACT_UNIX_SOCKET, _SCOPE_SIGNAL = 1, 2


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The interface version that the kernel offers; 0 where there is no Landlock."""
    if os.uname().sysname != "Linux":
        return 0
    found = _system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    return max(found, 0)


def restrict(readable: Iterable[Path | str], writable: Iterable[Path | str], *, network: bool = False) -> int:
    """Confine this process and its children for ever; return the interface version, 0 if there is none.

    Paths that do not exist are passed over. Raises OSError if the kernel refuses what its version promises.
    """
    interface = version()
    if interface == 0:
        return 0
    handled = _handled(interface)
    ruleset = _create_ruleset(interface, handled, network)
    try:
        for path in readable:
            _allow(ruleset, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
        for path in writable:
            _allow(ruleset, path, handled & ~_MAKE_DEVICES)
        _prctl_no_new_privileges()
        _checked("landlock_restrict_self", _system_call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)
    return interface


def _handled(interface: int) -> int:
    rights = _EXECUTE | _WRITE_FILE | _READ_FILE | _READ_DIR | _MAKE_AND_REMOVE
    rights |= _REFER if interface >= 2 else 0
    rights |= _TRUNCATE if interface >= 3 else 0
    rights |= _IOCTL_DEVICE if interface >= 5 else 0
    return rights


def _create_ruleset(interface: int, handled: int, network: bool) -> int:
    attributes = _RulesetAttributes(fs=handled)
    size = 8
    if interface >= 4:
        attributes.net = 0 if network else _BIND_TCP | _CONNECT_TCP
        size = 16
    if interface >= 6:
        attributes.scoped = _SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL
        size = 24
    created = _system_call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    return _checked("landlock_create_ruleset", created)


def _allow(ruleset: int, path: Path | str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if os.path.isdir(path) else rights & _FILE_RIGHTS
        rule = _PathBeneath(allowed=allowed, parent=descriptor)
        _checked(
            f"landlock_add_rule for {path}",
            _system_call(
                _ADD_RULE,
                ctypes.c_int(ruleset),
                ctypes.c_int(_RULE_PATH_BENEATH),
                ctypes.byref(rule),
                ctypes.c_uint32(0),
            ),
        )
    finally:
        os.close(descriptor)


def _prctl_no_new_privileges() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    _checked("prctl(no_new_privs)", library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _system_call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return int(library.syscall(ctypes.c_long(number), *arguments))


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
