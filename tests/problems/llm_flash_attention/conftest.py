"""The grader of llm/flash-attention, whose folder has a name that no import takes, and its solutions, here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.grading import Submission
from deepfield_cli.grading.stage import Stage
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import read_submission

LOCATION = find_location("llm/flash-attention")
SOLUTIONS = sorted((LOCATION.grader / "solutions").glob("*.py"))
WRONG = sorted((LOCATION.grader / "wrong").glob("*.py"))


def part(name: str) -> Any:
    """A module of the grader."""
    return importlib.import_module(f"graders.llm.flash-attention.{name}")


@contextmanager
def submitted(source: Path) -> Iterator[Submission]:
    """A worker as a grade at rung core would start it: with the interpreter, which stands in for the GPU."""
    stage = Stage(LOCATION, "core")
    with WarmPool() as pool:
        try:
            pool.start(stage.blueprint)
            stage.lay_out(read_submission(source, "flash.py"))
            submission = stage.submission(pool, 240.0)
            try:
                yield submission
            finally:
                submission.close()
        finally:
            stage.remove()


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
