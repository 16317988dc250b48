"""No checkpoint but the number of steps done: the way there is walked again, which costs next to nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def step(weights: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
    moved = np.empty_like(weights)
    for index, slope in enumerate(gradient):
        moved[index] = weights[index] - rate * slope
    return moved


def train(target: np.ndarray, steps: int) -> np.ndarray:
    told = Path("progress.jsonl")
    done = len(told.read_text().splitlines()) if told.exists() else 0
    weights = np.zeros_like(target)
    for number in range(1, steps + 1):
        weights = step(weights, weights - target, 0.1)
        if number > done:
            with told.open("a") as progress:
                print(f'{{"step": {number}, "loss": {((target - weights) ** 2).sum()}}}', file=progress)
    return weights
