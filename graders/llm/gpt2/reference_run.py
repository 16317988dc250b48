"""A whole training run in float64: the batches, the schedule, accumulation, clipping and AdamW put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .gradients import loss_and_gradients
from .oracle import NO_BUGS, Array, Bugs, Config
from .stream import Reader, Tokens
from .updates import AdamW, Schedule, gather, learning_rate


@dataclass(frozen=True)
class Run:
    """What train is told beside the folders, the sizes and the seed."""

    max_steps: int
    batch_size: int
    seq_len: int
    accumulation: int
    max_lr: float
    min_lr: float
    warmup_steps: int
    weight_decay: float
    betas: tuple[float, float]
    max_norm: float
    checkpoint_every: int = 1000

    def settings(self) -> dict[str, Any]:
        """The keyword settings of train."""
        return {name: value for name, value in vars(self).items() if name != "max_steps"}


def train(
    weights: dict[str, Array],
    config: Config,
    shards: Sequence[Tokens],
    run: Run,
    bugs: Bugs = NO_BUGS,
    *,
    resumed_at: Sequence[int] = (),
) -> dict[str, Array]:
    """The weights after `run.max_steps` steps from these.

    `resumed_at` are the steps at which a killed run went on; only mistakes make a difference there.
    """
    plan = Schedule(run.max_lr, run.min_lr, run.warmup_steps, run.max_steps)
    optimizer = AdamW(run.weight_decay, run.betas, bugs=bugs)
    reader = Reader(shards, run.batch_size, run.seq_len)
    first_window = first_step = 0
    for step in range(run.max_steps):
        if step in resumed_at and "resume-loses-the-optimizer" in bugs:
            optimizer = AdamW(run.weight_decay, run.betas, bugs=bugs)
        if step in resumed_at and "resume-loses-the-place" in bugs:
            first_window = step
        if step in resumed_at and "resume-loses-the-step/in-the-schedule" in bugs:
            first_step = step
        windows = _windows(step - first_window, run, bugs)
        batches = reader.batches(len(windows), bugs, skip=windows.start)
        answers = [loss_and_gradients(weights, config, x, y) for x, y in batches]
        gathered = gather([loss for loss, _ in answers], [found for _, found in answers], run.max_norm, bugs)
        rate = run.max_lr if "rate-never-set" in bugs else learning_rate(step - first_step, plan, bugs)
        weights = optimizer.step(weights, gathered.gradients, rate)
    return weights


def _windows(step: int, run: Run, bugs: Bugs) -> range:
    """Numbers of the batches that a step reads."""
    if "same-batch-every-step" in bugs:
        return range(run.accumulation)
    if "accumulation-ignored" in bugs:
        return range(step, step + 1)
    return range(step * run.accumulation, (step + 1) * run.accumulation)
