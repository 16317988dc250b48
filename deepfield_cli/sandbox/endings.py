"""How a process ended, in words."""

from __future__ import annotations

import os
import signal


def wait_status_text(status: int) -> str:
    """Say how a process ended, in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        names: dict[int, str] = {
            signal.SIGSEGV: "a segmentation fault",
            signal.SIGKILL: "being killed",
            signal.SIGXCPU: "using up its CPU time",
        }
        return f"ended by {names.get(number) or _signal_name(number)} (signal {number})"
    return f"ended by itself with exit code {os.WEXITSTATUS(status)}"


def _signal_name(number: int) -> str:
    """The signal's own name; most real-time signals have none, and a process can send itself any of them."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
