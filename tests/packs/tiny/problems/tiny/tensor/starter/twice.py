"""Twice a tensor."""

from __future__ import annotations

from typing import Any


def twice(x: Any) -> Any:
    """Return 2 x, of the same shape and dtype."""
    raise NotImplementedError
