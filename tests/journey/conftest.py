"""What tests of the journey share: a clock that can be set, attempts without a sandbox, and the built-in quiz."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deepfield_cli.content.quiz import Quiz
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.journey.clock import NOW_VARIABLE
from deepfield_cli.journey.workspace import Workspace, create_workspace

SetClock = Callable[[str], None]
Attempted = Callable[..., None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """``set_clock("2026-11-23T09:00")``: from now on it is that moment, in this process and in those it starts."""
    return lambda text: monkeypatch.setenv(NOW_VARIABLE, text)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made, _ = create_workspace(tmp_path / "workspace")
    made.ledger().close()
    return made


@pytest.fixture(scope="session")
def quiz(tmp_path_factory: pytest.TempPathFactory) -> Quiz:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFIELD_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_roadmap().quiz


@pytest.fixture
def attempted(workspace: Workspace) -> Attempted:
    """``attempted("llm/bpe", "2026-11-23T09:00", solved=True)``: an attempt as `grade` records it, without a grade."""

    def append(problem: str, at: str, *, solved: bool, rung: str = "core") -> None:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        payload = {"problem_version": 1_000_000, "checks": []}
        with workspace.ledger() as ledger:
            ledger.append("attempt", payload, problem=problem, rung=rung, solved=solved, score=float(solved), at=moment)

    return append
