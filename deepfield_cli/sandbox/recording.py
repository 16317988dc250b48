"""No autograd where the backward pass is the problem: nothing is recorded, so there is nothing to run backwards.

Trapping ``backward`` and ``grad`` alone is not enough: the engine can be started directly, and the nodes of a recorded
graph are callable. In torch's inference mode no operator records anything, whatever ``requires_grad`` and
``enable_grad`` say. Left to guard are the ways out of that mode: leaving it, and a new thread, which starts outside.
"""

from __future__ import annotations

import _thread
import functools
import sys
from collections.abc import Callable
from typing import Any

_MODE = "torch.inference_mode(False)"


class RecordingStopped:
    """Inference mode for this thread, those that it starts and the processes that are forked from it."""

    def __init__(self, torch: Any, spring: Callable[[str], None]) -> None:
        self._mode = torch._C._InferenceMode
        self._spring = spring
        self._guard = self._mode(True)
        self._guard.__enter__()

    def close_the_exits(self, torch: Any) -> None:
        """Let the mode be entered again but not left, in no thread, and the engine not be started."""
        replace_everywhere(torch._C._InferenceMode, self._enter)
        replace_everywhere(_thread.start_new_thread, self._started(_thread.start_new_thread))
        torch.autograd.variable.Variable._execution_engine = _NoEngine(self._spring)

    def _enter(self, mode: bool = True) -> Any:
        if not mode:
            self._spring(_MODE)
        return self._mode(True)

    def _started(self, start: Callable[..., int]) -> Callable[..., int]:
        def start_new_thread(function: Callable[..., Any], *rest: Any) -> int:
            @functools.wraps(function)
            def without_recording(*arguments: Any, **keywords: Any) -> Any:
                with self._mode(True):
                    return function(*arguments, **keywords)

            return start(without_recording, *rest)

        return start_new_thread


class _NoEngine:
    """Stands where torch keeps its autograd engine."""

    def __init__(self, spring: Callable[[str], None]) -> None:
        self._spring = spring

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **keywords: self._spring(f"torch.autograd.Variable._execution_engine.{name}")


def replace_everywhere(original: Any, substitute: Any) -> None:
    """Put something else under every name that a loaded module has for an object that cannot itself be changed."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, substitute)
