"""A workspace with a past that is written down and not graded, and the program in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.cli.app import run
from deepfield_cli.grading.result import Cause, CheckResult, GradeResult, PackReference
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry
from tests.conftest import TINY_PACK, MakeWorkspace

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
CHECKS = ("one_number", "mean_matches", "center_matches", "input_is_kept")
RIGHT = (TINY_PACK / "graders/tiny/mean/solutions/sums.py").read_text(encoding="utf-8")
NEVER_DIVIDES = (TINY_PACK / "graders/tiny/mean/wrong/never_divides.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Ask = Callable[..., Answer]
Attempt = Callable[..., Entry]


@pytest.fixture
def workspace(make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace in which tiny/mean was started; it is the current folder."""
    made = make_workspace("tiny/mean")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """``ask("status")``: a command in this process, as if it were printing into a file."""

    def in_process(*arguments: str | Path, width: int = 100) -> Answer:
        monkeypatch.setenv("COLUMNS", str(width))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return in_process


@pytest.fixture
def attempt(workspace: Workspace) -> Attempt:
    """``attempt({"mean_matches": "failed"})``: an attempt on the record, as a grade would have left it."""

    def add(
        outcomes: Mapping[str, str] | None = None,
        *,
        at: datetime = NOW,
        files: Mapping[str, bytes] | None = None,
        **changes: Any,
    ) -> Entry:
        result = made_result(outcomes or {}, **changes)
        scored = result.score is not None
        with workspace.ledger() as ledger:
            return ledger.append(
                "attempt" if scored else "fault",
                result.model_dump(mode="json"),
                problem=result.problem,
                rung=result.rung,
                solved=result.solved if scored else None,
                score=result.score,
                files={"mean.py": RIGHT.encode()} if files is None else files,
                at=at,
            )

    return add


def made_result(outcomes: Mapping[str, str], *, diagnosis: str | None = "sum-not-mean", **changes: Any) -> GradeResult:
    """A grade of tiny/mean in which every check passed but those that are named."""
    checks = tuple(_check(name, outcomes.get(name, "passed"), diagnosis) for name in CHECKS)
    earned = sum(check.points for check in checks if check.outcome == "passed")
    errored = any(check.outcome == "errored" for check in checks)
    settled: dict[str, Any] = {
        "problem": "tiny/mean",
        "problem_version": 1,
        "title": "The mean",
        "rung": "core",
        "score": None if errored else earned / len(checks),
        "solved": earned == len(checks),
        "points": earned,
        "points_possible": len(checks),
        "seed": 7,
        "isolation": "process",
        "pack": PackReference(name="tiny", version="0"),
        "suite_digest": "0" * 64,
        "submission_digest": "0" * 64,
        "submission_files": ("mean.py",),
        "started_at": NOW.isoformat(),
        "seconds": 0.5,
        "environment": {},
        "checks": checks,
    }
    return GradeResult(**{**settled, **changes})


def _check(name: str, outcome: str, diagnosis: str | None) -> CheckResult:
    cause = None if outcome == "passed" else Cause(rationale="It is off.", diagnosis=diagnosis)
    made: Any = outcome
    return CheckResult(name=name, description="A promise.", outcome=made, points=1, seconds=0.1, cause=cause)
