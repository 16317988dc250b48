"""What the library returned as plain values, ready for JSON; knows no model, so that it costs no import."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

SCHEMA_VERSION = 1


def as_document(value: Any) -> Any:
    """Dataclasses as objects, tuples as arrays, paths and dates as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [as_document(item) for item in value]
    if isinstance(value, dict):
        return {key: as_document(item) for key, item in value.items()}
    return str(value) if isinstance(value, PurePath | date) else value
