"""What the library returned, as JSON documents with names that programs may rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepfield_cli.journey.plan_pace import Pace
from deepfield_cli.journey.status import ProblemStatus, SeasonStatus, Status
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document

__all__ = ["SCHEMA_VERSION", "as_document", "listing_document", "pace_document", "problem_document", "status_document"]


def problem_document(one: ProblemStatus) -> dict[str, Any]:
    """One problem and how far it is; rungs that it does not have are absent."""
    rungs = {rung.rung: as_document(rung) for rung in one.rungs if rung.state != "absent"}
    for rung in rungs.values():
        del rung["rung"]
    return {
        **as_document(one.problem),
        "field": one.problem.field,
        "rungs": rungs,
        "attempts": one.attempts,
        "started": one.started,
        "gave_up": one.gave_up,
        "hints_shown": one.hints_shown,
    }


def status_document(status: Status) -> dict[str, Any]:
    """The home screen."""
    return {
        "schema_version": SCHEMA_VERSION,
        "workspace": str(status.root),
        "current": status.current,
        "attempts": status.attempts,
        "solved": sum(field.solved for field in status.fields),
        "last": as_document(status.last),
        "next": as_document(status.next_step),
        "fields": [
            {
                "name": field.name,
                "title": field.title,
                "solved": field.solved,
                "surveyed": field.surveyed,
                "problems": [problem_document(one) for one in field.problems],
            }
            for field in status.fields
        ],
        "elsewhere": list(status.elsewhere),
        "season": season_document(status.season),
        "pace": pace_document(status.pace),
        "streak": as_document(status.streak),
        "due_reviews": status.due_reviews,
        "outdated": list(status.outdated),
    }


def season_document(found: SeasonStatus | None) -> dict[str, Any] | None:
    """A season, as of today."""
    if found is None:
        return None
    standing = as_document(found)
    return {**standing.pop("season"), "ends": found.season.ends.isoformat(), **standing}


def pace_document(found: Pace | None) -> dict[str, Any] | None:
    """How far from the plan."""
    return as_document(found) if found is not None else None


def listing_document(problems: Sequence[ProblemStatus]) -> dict[str, Any]:
    """The list of all problems."""
    return {"schema_version": SCHEMA_VERSION, "problems": [problem_document(one) for one in problems]}
