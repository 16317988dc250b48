"""What the tests of the kit stand on: Triton in its interpreter, in this very process."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Triton, interpreting; its own functions too are what they were when it was imported first."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    triton = pytest.importorskip("triton")
    assert type(triton.language.sum).__name__ == "InterpretedFunction", "triton was imported without TRITON_INTERPRET=1"
    return triton


@pytest.fixture
def kernels(interpreter: Any) -> ModuleType:
    """The kernels of these tests, made for the interpreter."""
    return sys.modules.get("tests.kit.kernels") or importlib.import_module("tests.kit.kernels")
