"""A batch of grades for programs (one JSON line each) and a counter for whoever waits."""

from __future__ import annotations

import json
import sys

from deepfield_cli.grading.batch import BatchItem
from deepfield_cli.render.console import escaped


def batch_line(item: BatchItem, *, full: bool) -> str:
    """One submission as one line of JSON: the gist, or with ``full`` the whole result."""
    if item.result is None:
        return json.dumps(
            {"submission": item.name, "solved": False, "score": None, "exit_code": item.exit_code, "fault": item.fault}
        )
    result = item.result
    if full:
        return json.dumps({"submission": item.name, "exit_code": item.exit_code, **result.model_dump(mode="json")})
    failure = result.first_failure()
    return json.dumps(
        {
            "submission": item.name,
            "problem": result.problem,
            "rung": result.rung,
            "solved": result.solved,
            "score": result.score,
            "first_failure": failure.name if failure else None,
            "diagnosis": failure.cause.diagnosis if failure and failure.cause else None,
            "seed": result.seed,
            "submission_digest": result.submission_digest,
            "seconds": result.seconds,
            "exit_code": item.exit_code,
            "fault": None,
        }
    )


def show_progress(done: int, total: int, item: BatchItem) -> None:
    """A line on standard error, only for people."""
    if sys.stderr.isatty():
        verdict = "no verdict" if item.result is None else "solved" if item.result.solved else "not solved"
        sys.stderr.write(f"{done}/{total}  {escaped(item.name)}  {verdict}\n")
