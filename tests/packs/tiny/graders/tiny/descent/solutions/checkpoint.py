"""A checkpoint after every step."""

from __future__ import annotations

import json
import os

import numpy as np

RATE = 0.05


def step(weights: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
    return weights - rate * gradient


def train(target: np.ndarray, steps: int) -> np.ndarray:
    done, weights = _checkpoint(len(target))
    with open("progress.jsonl", "a") as progress:
        for number in range(done + 1, steps + 1):
            weights = step(weights, 2 * (weights - target), RATE)
            progress.write(json.dumps({"step": number, "loss": float(np.sum((weights - target) ** 2))}) + "\n")
            progress.flush()
            _keep(number, weights)
    return weights


def _checkpoint(size: int) -> tuple[int, np.ndarray]:
    if not os.path.exists("checkpoint.json"):
        return 0, np.zeros(size)
    with open("checkpoint.json") as file:
        done, weights = json.load(file)
    return done, np.array(weights)


def _keep(done: int, weights: np.ndarray) -> None:
    with open("checkpoint.new", "w") as file:
        json.dump([done, weights.tolist()], file)
    os.replace("checkpoint.new", "checkpoint.json")
