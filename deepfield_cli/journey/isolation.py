"""Isolation: how well this machine can lock a worker down, found out by locking one down."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.journey.finding import Finding
from deepfield_cli.sandbox import landlock
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.submission import Submission

AREA = "isolation"
_SECONDS = 60.0
_SUBMISSION = "def answer():\n    return 42\n"
# Since this version of the interface, TCP can be denied too.
_LANDLOCK_WITH_NETWORK = 4


def examine_isolation() -> list[Finding]:
    """Start a worker, confine it, have it answer, and report what held it."""
    started = time.monotonic()
    try:
        level = _run_a_worker()
    except (SandboxError, CheckFailed) as error:
        return [Finding(AREA, "worker", "bad", str(error), "nothing can be graded; report it with this output")]
    milliseconds = (time.monotonic() - started) * 1000
    return [
        Finding(AREA, "worker", "ok", f"starts, is confined and answers in {milliseconds:.0f} ms"),
        _landlock_finding(level),
        _seccomp_finding(level),
        _user_finding(),
    ]


def _run_a_worker() -> str:
    with tempfile.TemporaryDirectory(prefix="deepfield-doctor-") as folder, WarmPool() as pool:
        place, scratch = Path(folder, "submission"), Path(folder, "scratch")
        place.mkdir()
        scratch.mkdir()
        (place / "answer.py").write_text(_SUBMISSION, encoding="utf-8")
        blueprint = Blueprint(place, "answer.py", scratch, Limits())
        submission = Submission(pool, blueprint, call_seconds=_SECONDS)
        try:
            if submission.call("answer") != 42:
                raise SandboxError("the worker gives wrong answers")
            return submission.isolation or "none"
        finally:
            submission.close()


def _landlock_finding(level: str) -> Finding:
    version = landlock.version()
    if "landlock" not in level:
        advice = "files are not hidden from submissions: a Linux kernel from 5.13 on with Landlock enabled hides them"
        return Finding(AREA, "landlock", "warn", "not available", advice)
    if version < _LANDLOCK_WITH_NETWORK:
        advice = "TCP is denied by seccomp alone; a kernel from 6.7 on denies it twice"
        return Finding(AREA, "landlock", "ok", f"interface {version}", advice)
    return Finding(AREA, "landlock", "ok", f"interface {version}")


def _user_finding() -> Finding:
    if os.geteuid() != 0:
        return Finding(AREA, "user", "ok", "not root")
    advice = "some limits do not bind root: grade what others wrote as another user"
    return Finding(AREA, "user", "warn", "root", advice)


def _seccomp_finding(level: str) -> Finding:
    if "seccomp" in level:
        return Finding(AREA, "seccomp", "ok", "filters system calls")
    advice = "submissions can start processes and open sockets; Linux on x86_64 or aarch64 denies that"
    return Finding(AREA, "seccomp", "warn", "not available", advice)
