"""Everything that is done to a worker before it reads the learner's first line, strongest measure available."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Any

from deepfield_cli.sandbox import landlock, seccomp

_SYSTEM_READABLE = (
    *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache"),
    *("/etc/localtime", "/dev/urandom", "/dev/random", "/sys/devices/system/cpu"),
)
_OWN_PACKAGES = ("deepfield_cli", "graders")
_GPU_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
# What Triton calls to build a kernel: the C compiler, the linker's cache, and the driver's libraries.
_COMPILERS = ("/usr/bin", "/bin", "/sbin", "/usr/include", "/etc/alternatives", "/usr/local/cuda", "/usr/local/nvidia")
_SYSTEM_WRITABLE = ("/dev/null", "/dev/zero")
_MEGABYTE = 1 << 20
# A worker's own temporary files: generous for a checkpoint, too small to fill a disk.
_FILE_BYTES = 512 * _MEGABYTE
_OPEN_FILES = 512
# Threads and processes that a worker may add: numeric libraries start one for each core, a bomb starts thousands.
_TASK_MARGIN = 256


def confine(
    submission: Path, scratch: Path, limits: dict[str, Any], hidden: list[str], data: Sequence[str] = ()
) -> str:
    """Lock this process down for ever and return the name of what held, e.g. ``landlock+seccomp``.

    Args:
        submission: the staged copy of the learner's folder, read-only from now on.
        scratch: the one folder that may be written; becomes HOME and the working directory.
        limits: ``memory_mb``, ``cpu_seconds``, ``processes``, ``network``, ``gpu``.
        hidden: folders that must not be readable even where they lie inside a library folder.
        data: files and folders that may be read beside the submission.

    """
    os.chdir(scratch)
    os.umask(0o077)
    os.environ.update({"HOME": str(scratch), "TMPDIR": str(scratch)})
    _remove_hidden_from_path(hidden)
    gpu, network, processes = bool(limits["gpu"]), bool(limits["network"]), bool(limits["processes"])
    drop_capabilities()
    # before the walls: behind them neither /proc can be read nor a limit be set
    limit_resources(limits, gpu=gpu)
    readable = [*readable_roots(hidden), str(submission), *data]
    writable = [str(scratch), *_SYSTEM_WRITABLE]
    if gpu:
        readable += ["/proc", "/sys", *filter(os.path.exists, _COMPILERS)]
        writable += _GPU_DEVICES
        os.environ["PATH"] = "/usr/bin:/bin:/sbin"
    names = []
    if landlock.restrict(readable, writable, network=network):
        names.append("landlock")
    if seccomp.restrict(processes=processes, network=network):
        names.append("seccomp")
    return "+".join(names) or "process"


def readable_roots(hidden: list[str]) -> list[str]:
    """Python's own folders, the installed packages and the system's libraries, less what is hidden inside them.

    deepfield itself is hidden wherever it is installed: what the worker needs of it is loaded by now, and its folder
    holds the graders (an editable installation leaves a second copy of them among the packages). A hidden package is
    hidden in every interpreter's folder of packages, not only in the one that is running.
    """
    folders = _package_folders()
    names = {*_OWN_PACKAGES, *(os.path.basename(entry) for entry in hidden if os.path.dirname(entry) in folders)}
    twins = [os.path.join(folder, name) for folder in folders for name in names]
    unreadable = [os.path.realpath(entry) for entry in (*hidden, *filter(os.path.lexists, twins))]
    kept: set[str] = set()
    for root in {os.path.realpath(path) for path in (*_python_folders(), *_SYSTEM_READABLE)}:
        kept.update(_without(root, unreadable))
    return sorted(kept)


def _python_folders() -> set[str]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return {path for path in (*paths, os.path.join(sys.base_prefix, "lib"), *_user_site()) if path}


@functools.cache
def _package_folders() -> frozenset[str]:
    """Every folder of packages below what is readable; found once, in the warm process."""
    roots = {*_python_folders(), *_SYSTEM_READABLE}
    found = [name for root in roots for kind in ("site", "dist") for name in glob(f"{root}/python3*/{kind}-packages")]
    return frozenset([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_user_site(), *found])


def _user_site() -> list[str]:
    return [site.getusersitepackages()] if site.ENABLE_USER_SITE else []


def _without(path: str, hidden: list[str]) -> list[str]:
    """``path`` itself, or its entries less the hidden ones where something hidden lies below it."""
    if path in hidden:
        return []
    if not any(entry.startswith(path + os.sep) for entry in hidden):
        return [path]
    try:
        entries = sorted(os.listdir(path))
    except OSError:
        return []
    return [kept for entry in entries for kept in _without(os.path.join(path, entry), hidden)]


def _remove_hidden_from_path(hidden: list[str]) -> None:
    """Without Landlock the import path still does not lead to the graders."""
    roots = [os.path.realpath(entry) for entry in hidden]
    sys.path[:] = [
        entry
        for entry in sys.path
        if entry
        and ("site-packages" in entry or not any(root.startswith(os.path.realpath(entry) + os.sep) for root in roots))
    ]


def limit_resources(limits: dict[str, Any], *, gpu: bool) -> None:
    """Set the kernel's limits of this process for ever: memory, CPU time, file size, open files, tasks."""
    if not gpu:  # CUDA reserves address space far beyond any memory limit
        _limit(resource.RLIMIT_AS, _address_space_bytes() + int(limits["memory_mb"]) * _MEGABYTE)
    _limit(resource.RLIMIT_CPU, int(limits["cpu_seconds"]) + 1, slack=1)  # first SIGXCPU, which names the reason
    _limit(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    if hasattr(resource, "RLIMIT_NPROC"):  # threads count too; the kernel holds everyone to it but root
        _limit(resource.RLIMIT_NPROC, _running_tasks() + _TASK_MARGIN)


def _limit(kind: int, value: int, *, slack: int = 0) -> None:
    _, hard = resource.getrlimit(kind)
    highest = value + slack if hard == resource.RLIM_INFINITY else min(value + slack, hard)
    try:
        resource.setrlimit(kind, (min(value, highest), highest))
    except (ValueError, OSError):
        if sys.platform == "linux":  # elsewhere a kernel may not know a limit; here it is a wall that is missing
            raise


def _address_space_bytes() -> int:
    """What the preloaded modules already reserve, so that the limit is what the learner may add."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no /proc: assume what torch takes
        return 4096 * _MEGABYTE
    return pages * resource.getpagesize()


def _running_tasks() -> int:
    """Processes and threads of the whole machine: no less than the user's own, which are what the limit counts."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except OSError:
        return 4096


def drop_capabilities() -> None:
    """Root without its powers: an empty capability set, so that a worker started by root is no stronger than others."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        if library.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
            break
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    empty = (ctypes.c_uint32 * 6)()
    library.capset(header, empty)
