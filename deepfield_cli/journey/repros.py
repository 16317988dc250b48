"""Repro files of a failed grade, in the workspace's own folder: there while the check fails, gone when it passes."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.grading.grade import Grade
from deepfield_cli.grading.repro_folder import remove_if_untouched
from deepfield_cli.journey.workspace import Workspace


def keep_repros(workspace: Workspace, outcome: Grade) -> list[Path]:
    """Write a script and its inputs for each failed check, and remove those of checks that pass now.

    What the learner has changed stays. A full disk is not worth a complaint here.
    """
    place = workspace.repro / outcome.result.problem.replace("/", "-")
    for check in outcome.result.checks:
        if check.outcome == "passed":
            remove_if_untouched(place / check.name)
    return _write(place, workspace, outcome)


def _write(place: Path, workspace: Workspace, outcome: Grade) -> list[Path]:
    if not outcome.failures:
        return []
    from deepfield_cli.grading.repro import write_repro

    entry = workspace.folder(outcome.result.problem) / outcome.entry
    written = []
    for failure in outcome.failures:
        try:
            written.append(write_repro(place / failure.check.name, entry, failure, outcome.result))
        except OSError:
            continue
    return written
