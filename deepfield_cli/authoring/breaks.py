"""A check that breaks is the suite's own fault: where it broke, and what it was given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from deepfield_cli.authoring.report import Finding
from deepfield_cli.grading.result import CheckResult

_FRAME = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)
_SHOWN = 4


def place_of(result: CheckResult, grader: Path) -> str:
    """The innermost line of the grader's own files in the traceback of a check that broke."""
    frames = [(name, line) for name, line in _FRAME.findall(_traceback(result)) if Path(name).is_relative_to(grader)]
    return ":".join(frames[-1]) if frames else str(grader / "suite.py")


def error_of(result: CheckResult) -> str:
    """The last line of that traceback."""
    text = _traceback(result).strip()
    return text.splitlines()[-1] if text else "no reason is given"


def listed(items: Iterable[str]) -> str:
    """The first few, and how many there are beside them."""
    known = list(dict.fromkeys(items))
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more


def breaks(where: str, results: Iterable[CheckResult], grader: Path) -> list[Finding]:
    """One finding for each check that broke on a submission."""
    return [
        Finding(
            where=place_of(result, grader),
            what=f"{result.name} breaks on {where}: {error_of(result)}",
            fix="a check must stand every answer: test its type before using it",
        )
        for result in results
        if result.outcome == "errored"
    ]


def _traceback(result: CheckResult) -> str:
    return (result.cause.author or result.cause.rationale) if result.cause else ""
