"""Repro files of a failed grade, in the workspace's own folder."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.grading.grade import Grade
from deepfield_cli.journey.workspace import Workspace


def write_repros(workspace: Workspace, outcome: Grade) -> list[Path]:
    """Write a script and its inputs for each failed check that has any; a full disk is not worth a complaint here."""
    if not outcome.failures:
        return []
    from deepfield_cli.grading.repro import write_repro

    result = outcome.result
    entry = workspace.folder(result.problem) / outcome.entry
    written = []
    for failure in outcome.failures:
        folder = workspace.repro / result.problem.replace("/", "-") / failure.check.name
        try:
            written.append(write_repro(folder, entry, failure, result))
        except OSError:
            continue
    return written
