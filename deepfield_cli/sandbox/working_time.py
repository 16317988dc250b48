"""A clock that stands while this process is stopped: what Ctrl-Z or a debugger takes is not the learner's time.

A stopped process cannot look at a clock. But the grader is always waiting for something, never for longer than it said:
whoever wakes much later than that tells the clock, and the clock leaves the gap out.
"""

from __future__ import annotations

import threading
import time

# A loaded machine wakes late as well; a gap shorter than this is its everyday business.
_WORTH_LEAVING_OUT_SECONDS = 1.0


class WorkingTime:
    """Seconds on a clock that stands while the process is stopped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_out = 0.0
        self._known_until = time.monotonic()

    def now(self) -> float:
        """Seconds since some moment, the gaps left out; `time.monotonic` where there were none."""
        return time.monotonic() - self._left_out

    def woke(self, began: float, most_seconds: float) -> None:
        """Somebody meant to wait so long at the most, from this reading of `time.monotonic` on, and is awake now."""
        now = time.monotonic()
        if now - began - most_seconds < _WORTH_LEAVING_OUT_SECONDS:
            return
        with self._lock:  # several threads slept through the same gap
            gap = now - max(began + most_seconds, self._known_until)
            if gap > 0.0:
                self._left_out += gap
                self._known_until = now

    def sleep(self, seconds: float) -> None:
        """Sleep as `time.sleep` does, for a loop that looks at the clock."""
        began = time.monotonic()
        time.sleep(seconds)
        self.woke(began, seconds)


working_time = WorkingTime()
