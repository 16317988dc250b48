"""What is kept about a long grade beside what its checks keep: small files, each written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.whole_files import write_whole


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunNote(_Kept):
    """What is graded: a run goes on only with the same."""

    problem: str = Field(description="the problem's id")
    rung: Rung = Field(description="the rung")
    seed: int = Field(description="from which all inputs are drawn")
    submission_digest: str = Field(description="digest of the learner's files")
    suite_digest: str = Field(description="digest of the checks")
    only: tuple[str, ...] = Field(default=(), description="the checks that were asked for; none stands for all")
    data: Mapping[str, str] = Field(default_factory=dict, description="absolute paths given with --data, by name")
    started_at: str = Field(description="when the first sitting began, UTC")
    sittings: int = Field(default=1, ge=1, description="how often it was begun or taken up")


class Ending(_Kept):
    """How a grade ended."""

    problem: str = Field(description="the problem's id")
    rung: Rung = Field(description="the rung")
    exit_code: int = Field(description="that of the grade")
    entry: int | None = Field(description="number of the entry in the record; null for a run of some checks only")
    result: Mapping[str, Any] | None = Field(default=None, description="the result, where the record has none")


_Model = TypeVar("_Model", RunNote, Ending)


def read_kept(path: Path, kind: type[_Model]) -> _Model | None:
    """What a file holds; None where there is none, or where it is not what we wrote."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_note(path: Path, note: RunNote) -> None:
    """Replace a note in one step, on the disk when this returns; raise WorkspaceError where that cannot be done."""
    try:
        write_whole(path, note.model_dump_json().encode(), lasting=True)
    except OSError as error:
        raise WorkspaceError(
            f"cannot keep a run: {error.strerror}", where=str(path.parent), fix="check space and permissions"
        ) from error
