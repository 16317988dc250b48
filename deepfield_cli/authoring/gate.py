"""Who may run beside whom: checks of several grades share the machine, and one that measures time has it alone."""

from __future__ import annotations

import threading

from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check


class Gate:
    """Any number of ordinary checks at a time, or one exclusive one; who waits to be alone goes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._want_alone = 0

    def enter(self, *, exclusive: bool) -> None:
        """Block until there is room."""
        with self._changed:
            if not exclusive:
                self._changed.wait_for(lambda: not self._alone and not self._want_alone)
                self._inside += 1
                return
            self._want_alone += 1
            self._changed.wait_for(lambda: not self._alone and not self._inside)
            self._want_alone -= 1
            self._alone = True

    def leave(self, *, exclusive: bool) -> None:
        """Make room."""
        with self._changed:
            if exclusive:
                self._alone = False
            else:
                self._inside -= 1
            self._changed.notify_all()


class Turn:
    """What one grade holds of the gate, given back whatever happens; its methods are a run's callbacks."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._held: dict[str, bool] = {}

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._held):
            self._give_back(name)

    def on_start(self, check: Check) -> None:
        """Wait for room; runs in the check's own thread, before its clock starts."""
        self._gate.enter(exclusive=check.exclusive)
        self._held[check.name] = check.exclusive

    def on_finish(self, result: CheckResult) -> None:
        """Make room; a skipped check never held any."""
        self._give_back(result.name)

    def _give_back(self, name: str) -> None:
        exclusive = self._held.pop(name, None)
        if exclusive is not None:
            self._gate.leave(exclusive=exclusive)
