"""The grader of llm/flash-attention, whose folder has a name that no import takes, and its solutions, here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepfield_cli.content.packs import find_location
from tests.problems.conftest import Desk, Submit

LOCATION = find_location("llm/flash-attention")
SOLUTIONS = sorted((LOCATION.grader / "solutions").glob("*.py"))
WRONG = sorted((LOCATION.grader / "wrong").glob("*.py"))


def part(name: str) -> Any:
    """A module of the grader."""
    return importlib.import_module(f"graders.llm.flash-attention.{name}")


@pytest.fixture
def submitted(desk: Desk) -> Submit:
    """A worker with a submission."""
    return lambda source: desk.submission(LOCATION, source)


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
def load(interpreter: Any) -> Callable[[Path], ModuleType]:
    """Run a submission's file here, for the interpreter."""

    def loaded(path: Path) -> ModuleType:
        full = f"flash_attention_{path.parent.name}_{path.stem}"
        if full not in sys.modules:
            spec = importlib.util.spec_from_file_location(full, path)
            assert spec is not None and spec.loader is not None
            sys.modules[full] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[full])
        return sys.modules[full]

    return loaded
