"""``history``, ``diff``, ``restore``, ``solution``, ``repro`` and ``verify``: what was tried, and what it proves."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
