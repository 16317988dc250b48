"""A product."""

from __future__ import annotations

from typing import Any


def twice(x: Any) -> Any:
    return 2 * x
