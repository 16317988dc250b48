"""A grader that was stopped, by Ctrl-Z say, and goes on: the time between is not the learner's."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from deepfield_cli.sandbox.working_time import WorkingTime

# Two threads wait for a byte each, as checks that run side by side do; then all says how much was left out.
WAITS = """
import threading, time
from deepfield_cli.sandbox.channel import ChannelTimeout, wait_readable
from deepfield_cli.sandbox.working_time import working_time

def answered(deadline):
    try:
        while not wait_readable([0], deadline):
            pass
        return "answered"
    except ChannelTimeout:
        return "timed out"

deadline, told = working_time.now() + 4.0, []
threads = [threading.Thread(target=lambda: told.append(answered(deadline))) for _ in range(2)]
print("waiting", flush=True)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*told, time.monotonic() - working_time.now(), sep=",")
"""
STOPPED_SECONDS = 5.5


def test_a_deadline_waits_for_a_grader_that_was_stopped() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting\n"
        time.sleep(0.3)  # both threads are in their wait
        waiting.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        waiting.send_signal(signal.SIGCONT)
        time.sleep(0.6)  # longer than one wait: both have looked at the clock again
        waiting.stdin.write("x")
        waiting.stdin.flush()
        one, other, left_out = waiting.stdout.read().strip().split(",")
    assert (one, other) == ("answered", "answered")
    assert STOPPED_SECONDS - 1.0 < float(left_out) < 1.5 * STOPPED_SECONDS, "once, however many slept through it"


def test_waking_a_little_late_is_not_left_out() -> None:
    clock = WorkingTime()
    began, before = time.monotonic() - 0.9, clock.now()
    clock.woke(began, 0.5)
    assert clock.now() >= before
