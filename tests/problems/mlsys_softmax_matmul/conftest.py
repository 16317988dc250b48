"""The grader of mlsys/softmax-matmul, whose folder has a name that no import takes, and its solutions, here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from deepfield_cli.content.packs import find_location

GRADER = "graders.mlsys.softmax-matmul"
LOCATION = find_location("mlsys/softmax-matmul")


def part(name: str) -> Any:
    """A module of the grader."""
    return importlib.import_module(f"{GRADER}.{name}")


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Triton, interpreting and repaired, on one thread."""
    import torch

    monkeypatch.setenv("TRITON_INTERPRET", "1")
    triton = pytest.importorskip("triton")
    assert type(triton.language.sum).__name__ == "InterpretedFunction", "triton was imported without TRITON_INTERPRET=1"
    part("probe")  # repairs the interpreter
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield triton
    torch.set_num_threads(before)


@pytest.fixture
def solution(interpreter: Any) -> Callable[[str], ModuleType]:
    """A solution by its name, for the interpreter."""

    def load(name: str) -> ModuleType:
        full = f"softmax_matmul_{name}"
        if full not in sys.modules:
            spec = importlib.util.spec_from_file_location(full, LOCATION.grader / "solutions" / f"{name}.py")
            assert spec is not None and spec.loader is not None
            sys.modules[full] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[full])
        return sys.modules[full]

    return load
