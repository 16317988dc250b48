"""Python without torch and without a network: laid before all else on the path of a program under test."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import socket
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

MISSING = {"torch", "triton"}


class _Missing(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def _unreachable(*_: Any, **__: Any) -> NoReturn:
    raise OSError(101, "Network is unreachable")


def _unknown(*_: Any, **__: Any) -> NoReturn:
    raise socket.gaierror(-3, "Temporary failure in name resolution")


sys.meta_path.insert(0, _Missing())
socket.getaddrinfo = _unknown
socket.socket.connect = _unreachable  # type: ignore[method-assign]
