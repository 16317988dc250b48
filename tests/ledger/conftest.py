"""A ledger in a temporary workspace, and a way to run a script of this folder in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import deepfield_cli
from deepfield_cli.ledger import Ledger

RunScript = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".deepfield" / "progress.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path) as opened:
        yield opened


@pytest.fixture
def run_script() -> RunScript:
    """Run `python SCRIPT ARGUMENTS` and return the JSON document that it prints."""

    def run(script: str, *arguments: object, before: tuple[str, ...] = ()) -> Any:
        root = str(Path(deepfield_cli.__file__).parents[1])
        command = [*before, sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
        finished = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, timeout=120, check=False
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    return run
