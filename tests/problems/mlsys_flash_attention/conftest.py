"""The grader of mlsys/flash-attention, whose folder has a name that no import takes, and its solutions, here."""

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

LOCATION = find_location("mlsys/flash-attention")
SOLUTIONS = LOCATION.solutions()
SHIPPED = SOLUTIONS[0]
WRONG = sorted((LOCATION.grader / "wrong").iterdir())


def part(name: str) -> Any:
    """A module of the grader."""
    return importlib.import_module(f"graders.mlsys.flash-attention.{name}")


def wrong(name: str) -> Path:
    """A wrong submission."""
    return LOCATION.grader / "wrong" / name


def claim(folder: Path) -> str:
    """The first line of a wrong submission, which says what it fails."""
    speaker = next(path for path in (folder / "flash.py", *sorted(folder.glob("*.py"))) if path.is_file())
    return speaker.read_text(encoding="utf-8").splitlines()[0]


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


Load = Callable[[Path], ModuleType]


@pytest.fixture
def load(interpreter: Any, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Run a solution's entry file here, for the interpreter; modules beside it are found by their plain names."""

    def loaded(path: Path) -> ModuleType:
        entry = path / "flash.py" if path.is_dir() else path
        monkeypatch.syspath_prepend(str(entry.parent))
        for name in [other.stem for other in entry.parent.glob("*.py")] if path.is_dir() else []:
            monkeypatch.delitem(sys.modules, name, raising=False)
        spec = importlib.util.spec_from_file_location(f"mlsys_flash_attention_{path.stem}", entry)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return loaded
