"""``pull_request.yaml``: which pull request is handed in, and whose account it is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError


class HandedIn(Frozen):
    """The whole file."""

    format_version: Literal[1] = Field(description="version of this format")
    url: str = Field(description="address of the pull request")
    account: str = Field(min_length=1, description="your account on GitHub")


def read_handed_in(path: Path) -> HandedIn:
    """Read it; raise ContentError if it is not there or not filled in."""
    if not path.is_file():
        raise ContentError("which pull request?", fix="deepfield confirm pr URL --account NAME")
    return load_model(path, HandedIn)
