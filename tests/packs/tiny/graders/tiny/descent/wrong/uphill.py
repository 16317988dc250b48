# fails: one_step   diagnosis: uphill
"""The sign is wrong."""

from __future__ import annotations

from typing import Any


def step(weights: Any, gradient: Any, rate: float) -> Any:
    return weights + rate * gradient


def train(target: Any, steps: int) -> Any:
    return target.copy()
