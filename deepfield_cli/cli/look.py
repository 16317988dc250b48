"""``status``, ``list``, ``show``, ``hint`` and ``doctor``: looking, without touching the learner's files."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
